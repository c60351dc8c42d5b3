"""What the answers to a burst amount to, and whether that is good. Delays in milliseconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction

from probes.outcome import Verdict
from probes.stamp.burst import Burst
from probes.stamp.delay import Clocks, Spread, clocks, possible, spread
from probes.stamp.loss import Disorder, Losses, disorder, losses
from probes.stamp.options import StampOptions


@dataclass(frozen=True, slots=True)
class Delays:
    """Of the packets that were answered. ``dwell``, ``forward`` and ``backward`` are None where the reflector's
    instants cannot be: then it was not taken off the round trip either."""

    round_trip: Spread
    dwell: Spread | None
    forward: Spread | None
    backward: Spread | None
    clocks: Clocks


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a burst with at least one answer."""

    losses: Losses
    disorder: Disorder
    delays: Delays


def figures(burst: Burst) -> Figures:
    """Of a burst with at least one answer to a packet that counts."""
    sent = burst.regular
    lost = losses(sent, len(burst.sent_ns) - sent, burst.seen)
    return Figures(lost, disorder(burst.seen), _delays(burst))


def _delays(burst: Burst) -> Delays:
    replies = [burst.first[index] for index in sorted(burst.first) if index < burst.regular]
    journeys = [reply.journey for reply in replies]
    if not (all(reply.stamped for reply in replies) and possible(journeys)):
        elapsed = spread([journey.elapsed_ns for journey in journeys])
        return Delays(elapsed, None, None, None, Clocks(False, "theirs makes no sense"))
    return Delays(
        spread([journey.elapsed_ns - journey.dwell_ns for journey in journeys]),
        spread([journey.dwell_ns for journey in journeys]),
        spread([journey.forward_ns for journey in journeys]),
        spread([journey.backward_ns for journey in journeys]),
        clocks(burst.clock, (reply.estimate for reply in replies), journeys),
    )


def detail(burst: Burst, found: Figures) -> dict[str, object]:
    """What is kept of a burst."""
    told = _loss_detail(found.losses)
    told |= {name: count for name, count in asdict(found.disorder).items() if count}
    told |= _delay_detail(found.delays)
    last = burst.replies[-1]
    told |= {"clocks": found.delays.clocks.why, "ttl_there": last.ttl}
    if last.size != burst.options.size:
        told["reply_size"] = last.size
    return told


def _loss_detail(lost: Losses) -> dict[str, object]:
    told: dict[str, object] = {
        "sent": lost.sent,
        "received": lost.sent - lost.lost,
        "loss": lost.lost and round(lost.lost / lost.sent, 4),
    }
    if lost.stateful is not None:
        told["reflector"] = "stateful" if lost.stateful else "stateless"
    if lost.stateful:
        told |= {"forward_lost": lost.forward, "backward_lost": lost.backward}
    if lost.unattributed:
        told["unattributed_lost"] = lost.unattributed
    return told


def _delay_detail(delays: Delays) -> dict[str, object]:
    told: dict[str, object] = _three("rtt", delays.round_trip)
    told |= _jitter("jitter_ms", delays.round_trip)
    if delays.dwell is not None:
        told["dwell_ms"] = _ms(delays.dwell.mean_ns)
    for direction, seen in (("forward", delays.forward), ("backward", delays.backward)):
        if seen is not None:
            told |= _jitter(f"{direction}_jitter_ms", seen)
            if seen.step_ns is not None:
                told[f"{direction}_variation_ms"] = _ms(seen.variation_ns)
            if delays.clocks.comparable:
                told |= _three(f"{direction}_delay", seen)
    if delays.clocks.comparable:
        told["delay_error_ms"] = _ms(delays.clocks.error_ns)
    return told


def _three(name: str, seen: Spread) -> dict[str, object]:
    return {
        f"{name}_min_ms": _ms(seen.least_ns),
        f"{name}_avg_ms": _ms(seen.mean_ns),
        f"{name}_max_ms": _ms(seen.most_ns),
    }


def _jitter(name: str, seen: Spread) -> dict[str, object]:
    return {} if seen.step_ns is None else {name: _ms(seen.step_ns)}


def _ms(nanoseconds: float) -> float:
    return round(nanoseconds / 1e6, 3)


def judged(found: Figures, options: StampOptions) -> tuple[Verdict, str]:
    """Verdict and reason of a burst of which at least one packet was answered."""
    if found.losses.lost:
        lost = Fraction(found.losses.lost, found.losses.sent)
        if lost >= Fraction(options.loss_down):
            return Verdict.BAD, "loss"
        if options.loss_degraded is not None and lost >= Fraction(options.loss_degraded):
            return Verdict.DEGRADED, "loss"
    delays = found.delays
    directions = [seen for seen in (delays.forward, delays.backward) if seen is not None]
    if _exceeds(options.rtt_degraded, delays.round_trip.mean_ns):
        return Verdict.DEGRADED, "slow"
    if delays.clocks.comparable and any(_exceeds(options.delay_degraded, one.mean_ns) for one in directions):
        return Verdict.DEGRADED, "delay"
    if any(_exceeds(options.jitter_degraded, one.step_ns) for one in directions or [delays.round_trip]):
        return Verdict.DEGRADED, "jitter"
    return Verdict.GOOD, "reflected"


def _exceeds(threshold_ms: int | None, nanoseconds: float | None) -> bool:
    return threshold_ms is not None and nanoseconds is not None and nanoseconds >= threshold_ms * 1_000_000
