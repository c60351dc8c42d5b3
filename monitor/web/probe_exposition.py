"""One outcome as Prometheus text, with the names and meanings of blackbox_exporter's metrics."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence

from monitor.web.exposition import escaped
from probes.metric import Metric, Sample
from probes.outcome import Outcome, Verdict

Family = tuple[str, str, Sequence[Sample]]
"""Name, help and samples of a gauge."""


def probe_exposition(outcome: Outcome, metrics: Iterable[Metric], took_s: float) -> str:
    """The metrics of every probe, and those that its prober declares. ``took_s``: seconds for all of it."""
    families: list[Family] = [
        (
            "probe_success",
            "Displays whether or not the probe was a success",
            [({}, float(_answered(outcome)))],
        ),
        ("probe_duration_seconds", "Returns how long the probe took to complete in seconds", [({}, took_s)]),
        *_of_addresses(outcome),
        (
            "probe_degraded",
            "Whether the answer was poor (1): slow, partly there, or its certificate ends soon; a success all the same",
            [({}, float(outcome.verdict is Verdict.DEGRADED))],
        ),
        (
            "probe_not_asked",
            "Whether this host could not ask (1), for a fault of its own; it says nothing of the target",
            [({}, float(outcome.verdict is Verdict.NOT_ASKED))],
        ),
        *((metric.name, metric.help, list(metric.samples(outcome))) for metric in metrics),
    ]
    return "".join(_family(*family) for family in sorted(families, key=lambda family: family[0]))


def _answered(outcome: Outcome) -> bool:
    return outcome.verdict in (Verdict.GOOD, Verdict.DEGRADED)


def _of_addresses(outcome: Outcome) -> Iterator[Family]:
    lookup_s = dict(outcome.phases).get("resolve", 0.0)
    try:
        address = ipaddress.ip_address(str(outcome.detail.get("address")).partition("%")[0])
    except ValueError:
        address = None
    version, hashed = (0, 0) if address is None else (address.version, fnv_1a(address.packed))
    yield (
        "probe_dns_lookup_time_seconds",
        "Returns the time taken for probe dns lookup in seconds",
        [({}, lookup_s)],
    )
    yield "probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6", [({}, version)]
    yield "probe_ip_addr_hash", "Specifies the hash of the IP address, to see it change", [({}, hashed)]


def fnv_1a(data: bytes) -> int:
    """The 32-bit FNV-1a hash (http://www.isthe.com/chongo/tech/comp/fnv/)."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def _family(name: str, help: str, samples: Sequence[Sample]) -> str:
    lines = "".join(f"{name}{_labels(labels)} {value!r}\n" for labels, value in samples)
    return f"# HELP {name} {_line(help)}\n# TYPE {name} gauge\n{lines}" if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{escaped(str(value))}"' for name, value in sorted(labels.items()))
    return f"{{{pairs}}}" if pairs else ""


def _line(help: str) -> str:
    return help.replace("\\", r"\\").replace("\n", " ")
