"""What Prometheus is shown of an agent's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from probes.metric import Metric, Sample, durations, number
from probes.outcome import Outcome
from probes.snmp.sensor import Figure, Sensor
from probes.snmp.sensors import SENSORS


def _figure(sensor: Sensor, figure: Figure) -> Metric:
    return Metric(f"probe_snmp_{sensor.prefix}{figure.name}", figure.help, _samples(sensor, figure))


def _samples(sensor: Sensor, figure: Figure) -> Callable[[Outcome], Iterable[Sample]]:
    """One for each row, with its name as label."""

    def samples(outcome: Outcome) -> Iterator[Sample]:
        rows = outcome.detail.get("figures")
        if outcome.detail.get("sensor") != sensor.name or not isinstance(rows, Mapping):
            return
        for row, known in rows.items():
            if figure.name in known:
                yield ({"row": row} if sensor.label else {}), float(known[figure.name])

    return samples


METRICS = (
    durations("probe_snmp_duration_seconds", "Duration of SNMP probe by phase", "resolve", "response"),
    number("probe_snmp_value", "Value of the object that was asked for, where it is a number", "value"),
    *(_figure(sensor, figure) for sensor in SENSORS.values() for figure in sensor.figures),
)
