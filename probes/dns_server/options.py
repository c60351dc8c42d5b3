"""What a DNS check can be told."""

from __future__ import annotations

from typing import Annotated, Literal

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from probes.dial import DialOptions
from probes.regex import Regex
from probes.units import Duration

Transport = Literal["udp", "tcp", "tls"]
QueryClass = Literal["IN", "CH", "HS", "ANY"]

PORTS: dict[Transport, int] = {"udp": 53, "tcp": 53, "tls": 853}
"""RFC 1035 §4.2, RFC 7858 §3.1."""

Patterns = Annotated[tuple[Regex, ...], Field(max_length=32)]


def _is_record(text: str) -> str:
    try:
        kind = dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"expected a type of record such as A, SRV or TYPE65, not {text!r}") from None
    if dns.rdatatype.is_metatype(kind) and kind != dns.rdatatype.ANY:
        raise ValueError(f"expected a type of record that can be asked for, not {text!r}")
    return dns.rdatatype.to_text(kind)


def _is_rcode(text: str) -> str:
    try:
        return dns.rcode.to_text(dns.rcode.from_text(text))
    except (dns.exception.DNSException, ValueError):
        raise ValueError(f"expected a response code such as NOERROR or NXDOMAIN, not {text!r}") from None


class Rules(BaseModel):
    """What the records of a section must be, and must not be: the rules of blackbox_exporter, as it applies them.
    Each expression is for a line of owner, TTL, class, type and data, with tabs in between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fail_if_matches_regexp: Patterns = ()
    """Bad where any expression matches any record."""

    fail_if_all_match_regexp: Patterns = ()
    """Bad where an expression does not match a record. The name says otherwise; this is what jobs rely on."""

    fail_if_not_matches_regexp: Patterns = ()
    """Bad where an expression does not match a record, and where there is no record."""

    fail_if_none_matches_regexp: Patterns = ()
    """Bad where no expression matches any record."""


class DnsOptions(DialOptions):
    """What to ask, over what, and how the answer is judged."""

    record: Annotated[str, AfterValidator(_is_record)] = "A"
    """Type of record to ask for."""

    query_class: QueryClass = "IN"

    transport: Transport = "udp"
    """An answer that is truncated over UDP is asked for again over TCP (RFC 7766 §5)."""

    recursion: bool = True
    """Ask the server to ask others (RD, RFC 1035 §4.1.1)."""

    dnssec: bool = False
    """Ask for a validated answer (DO and AD, RFC 6840 §5.7); one without AD is bad."""

    rcodes: Annotated[tuple[Annotated[str, AfterValidator(_is_rcode)], ...], Field(min_length=1)] = (
        "NOERROR",
    )
    """Response codes that are good."""

    expect: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    """Data of records, as a zone file has it, that must be in the answer; there may be others."""

    answer: Rules = Rules()
    authority: Rules = Rules()
    additional: Rules = Rules()

    rtt_degraded: Duration | None = None
    """Milliseconds from the question to its answer, without the connection, from which on it counts as degraded."""

    latency_degraded: Duration | None = None
    """Milliseconds from the start of the probe to the answer from which on it counts as degraded."""

    @model_validator(mode="after")
    def _expects_what_can_be(self) -> DnsOptions:
        for text in self.expect:
            expected_rdata(self.query_class, self.record, text)
        return self


def expected_rdata(query_class: str, record: str, text: str) -> dns.rdata.Rdata:
    """The data that ``text`` writes as a zone file would; names are absolute. Raises ValueError."""
    of = "IN" if query_class == "ANY" else query_class
    try:
        return dns.rdata.from_text(of, record, text, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        why = f"expected the data of {record} records as a zone file has it, not {text!r}: {error}"
        raise ValueError(why) from None
