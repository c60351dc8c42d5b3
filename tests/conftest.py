"""How long hypothesis searches: the same examples each time, or more with RINGBACK_EXAMPLES=10000."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ringback",
    derandomize="RINGBACK_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("RINGBACK_EXAMPLES", "100")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ringback")
