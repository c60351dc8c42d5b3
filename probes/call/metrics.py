"""What Prometheus is shown of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from probes.metric import Metric, Sample, durations, information, milliseconds, number, timestamp
from probes.outcome import Outcome

_PHASES = ("resolve", "connect", "tls", "challenge", "ring", "answer", "talk", "bye")


def _ratio(key: str) -> Callable[[Outcome], Iterable[Sample]]:
    def samples(outcome: Outcome) -> Iterable[Sample]:
        value = outcome.detail.get(key)
        if isinstance(value, int | float):
            yield {}, value / 100

    return samples


METRICS = (
    number("probe_call_status_code", "Status code of the final answer to INVITE", "status"),
    durations("probe_call_duration_seconds", "Duration of call probe by phase", *_PHASES),
    milliseconds("probe_call_post_dial_delay_seconds", "From INVITE to ringing", "pdd_ms"),
    milliseconds(
        "probe_call_early_media_seconds", "From INVITE to audio before the answer", "early_media_ms"
    ),
    number("probe_call_rtp_packets_sent", "RTP packets that we sent", "rtp_sent"),
    number("probe_call_rtp_packets_received", "RTP packets of the peer that arrived", "rtp_received"),
    Metric("probe_call_rtp_loss_ratio", "Share of the peer's RTP that was lost", _ratio("rtp_loss_percent")),
    number("probe_call_rtp_reordered", "RTP packets that arrived out of order", "rtp_reordered"),
    milliseconds("probe_call_rtp_jitter_seconds", "Interarrival jitter (RFC 3550)", "rtp_jitter_ms"),
    Metric(
        "probe_call_far_loss_ratio", "Share of our RTP that the peer says it lost", _ratio("far_loss_percent")
    ),
    milliseconds("probe_call_far_jitter_seconds", "Jitter of our RTP as the peer says", "far_jitter_ms"),
    milliseconds("probe_call_rtcp_round_trip_seconds", "Round trip by the peer's RTCP", "rtcp_round_trip_ms"),
    number("probe_call_mos", "Mean opinion score of what we heard, by the E-model", "mos"),
    number("probe_call_retransmissions", "INVITEs that were sent again by Timer A", "retransmissions"),
    timestamp(
        "probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate ends", "chain_expires"
    ),
    information("probe_tls_version_info", "The TLS version that was agreed on", version="tls"),
    information("probe_tls_cipher_info", "The cipher that was agreed on", cipher="cipher"),
)
