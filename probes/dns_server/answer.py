"""What an answer says (RFC 1035 §4.1), within bounds. No socket, no clock.

Only the data of the records is left to dnspython: its own reader of messages sorts them into sets, and for that
spends seconds on a message of a few KiB whose names point back to long ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire
from dns.rdtypes.ANY.OPT import OPT

from probes.dns_server.question import HEADER

MOST_PIECES = 30_000
"""Lengths, labels and the like of which an answer may consist: two bytes can stand for a name of 127 labels that
was there before (compression, RFC 1035 §4.1.4). A thousand common records have some ten thousand."""

_NO_RECORDS = {dns.rdatatype.OPT, dns.rdatatype.TSIG}
"""They say something of the message, and nothing of a name."""


class Unreadable(ValueError):
    """An answer to our question that cannot be read; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record: absolute name of its owner, seconds to live, and its data, as text, too."""

    owner: str
    ttl: int
    rdata: dns.rdata.Rdata
    text: str

    @property
    def kind(self) -> str:
        return dns.rdatatype.to_text(self.rdata.rdtype)

    @property
    def line(self) -> str:
        """As a zone file has it, with tabs."""
        of = dns.rdataclass.to_text(self.rdata.rdclass)
        return "\t".join((self.owner, str(self.ttl), of, self.kind, self.text))


@dataclass(frozen=True, slots=True)
class Answer:
    """``rcode`` and ``flags`` have the names of the RFCs, such as NXDOMAIN and AA. The sections are without OPT
    and TSIG; ``counts`` is how many records the header says are in each, with those."""

    rcode: str
    flags: tuple[str, ...]
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    counts: tuple[int, int, int]
    extended_error: str
    """What the server says of an error (RFC 8914); empty where that is nothing."""

    @property
    def validated(self) -> bool:
        """Whether the server says that it validated the answer (AD, RFC 4035 §3.2.3)."""
        return "AD" in self.flags


class _Wire(dns.wire.Parser):
    """Reads no more than MOST_PIECES."""

    pieces = 0

    def get_bytes(self, size: int) -> bytes:
        self.pieces += 1
        if self.pieces > MOST_PIECES:
            raise Unreadable("too much in it")
        return super().get_bytes(size)


def parse_answer(data: bytes) -> Answer:
    """Raises Unreadable, and nothing else. Bytes after the last record are not looked at."""
    try:
        return _read(_Wire(data))
    except Exception as error:  # dnspython raises whatever its many types of record run into
        raise Unreadable(str(error) or type(error).__name__) from error


def _read(wire: _Wire) -> Answer:
    _, flags, questions, *counts = wire.get_struct(HEADER.format)
    for _ in range(questions):
        dns.name.from_wire_parser(wire)
        wire.get_struct("!HH")
    answer, authority, additional = (tuple(_record(wire) for _ in range(count)) for count in counts)
    opt = next((record for record in additional if isinstance(record.rdata, OPT)), None)
    return Answer(
        dns.rcode.to_text(dns.rcode.from_flags(flags, opt.ttl if opt else 0)),
        tuple(dns.flags.to_text(flags).split()),
        _of_names(answer),
        _of_names(authority),
        _of_names(additional),
        (counts[0], counts[1], counts[2]),
        _extended_error(opt),
    )


def _record(wire: _Wire) -> Record:
    owner = dns.name.from_wire_parser(wire)
    kind, of, ttl, length = wire.get_struct("!HHIH")
    with wire.restrict_to(length):
        rdata = dns.rdata.from_wire_parser(of, kind, wire)
    return Record(owner.to_text(), ttl, rdata, rdata.to_text())


def _of_names(records: tuple[Record, ...]) -> tuple[Record, ...]:
    return tuple(record for record in records if record.rdata.rdtype not in _NO_RECORDS)


def _extended_error(opt: Record | None) -> str:
    options = opt.rdata.options if opt is not None and isinstance(opt.rdata, OPT) else ()
    return next((one.to_text() for one in options if one.otype == dns.edns.EDE), "")
