"""What Prometheus is shown of a SIP probe."""

from __future__ import annotations

from collections.abc import Iterable

from probes.metric import Metric, Sample, durations, information, number, timestamp
from probes.outcome import Outcome

_PHASES = ("resolve", "connect", "tls", "challenge", "answer", "register", "remove")


def _members(outcome: Outcome) -> list[dict[str, object]]:
    members = outcome.detail.get("members")
    return members if isinstance(members, list) else []


def _count(outcome: Outcome) -> Iterable[Sample]:
    if members := _members(outcome):
        yield {}, len(members)


def _count_up(outcome: Outcome) -> Iterable[Sample]:
    if members := _members(outcome):
        yield {}, sum(_is_up(member) for member in members)


def _each(outcome: Outcome) -> Iterable[Sample]:
    for member in _members(outcome):
        if member["verdict"] != "not_asked":
            yield (
                {name: str(member[name]) for name in ("name", "address", "port", "transport")},
                _is_up(member),
            )


def _is_up(member: dict[str, object]) -> bool:
    return member["verdict"] in ("good", "degraded")


METRICS = (
    number("probe_sip_status_code", "Status code of the answer that was judged", "status"),
    durations("probe_sip_duration_seconds", "Duration of SIP probe by phase", *_PHASES),
    number("probe_sip_retransmissions", "Requests that were sent again by Timer E", "retransmissions"),
    number("probe_sip_retry_after_seconds", "Retry-After of the answer", "retry_after_s"),
    number("probe_sip_bindings", "Contacts that the account is registered with", "bindings"),
    Metric("probe_sip_members", "Hosts behind the target", _count),
    Metric("probe_sip_members_up", "Hosts behind the target that answer, well or degraded", _count_up),
    Metric(
        "probe_sip_member_up", "Whether a host behind the target answers; none if it was not asked", _each
    ),
    timestamp(
        "probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate ends", "chain_expires"
    ),
    information("probe_tls_version_info", "The TLS version that was agreed on", version="tls"),
    information("probe_tls_cipher_info", "The cipher that was agreed on", cipher="cipher"),
)
