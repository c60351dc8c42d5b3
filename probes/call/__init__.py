"""Calls: whether a number answers, and how its audio is in both directions."""

from probes.call.options import CallOptions
from probes.call.prober import CallProber

PROBER = CallProber

__all__ = ["PROBER", "CallOptions", "CallProber"]
