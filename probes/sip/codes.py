"""What a status code says of the target's health."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import BeforeValidator

from probes.outcome import Verdict

_CODE = re.compile(r"[1-6](?:\d\d|xx)", re.IGNORECASE)


def parse_codes(value: object) -> frozenset[int]:
    """Of ``[200, 404, 4xx]``. Raises ValueError with what was expected."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        raise ValueError(f"expected a list of codes such as [200, 404, 5xx], not {value!r}")
    codes: set[int] = set()
    for one in value:
        if not _CODE.fullmatch(str(one)):
            raise ValueError(f"expected a code such as 404 or 5xx, not {one!r}")
        first = str(one)[0]
        codes |= (
            set(range(int(first) * 100, int(first) * 100 + 100)) if "x" in str(one).lower() else {int(one)}
        )
    return frozenset(codes)


Codes = Annotated[frozenset[int], BeforeValidator(parse_codes)]

PROVE_LIFE = parse_codes(["2xx", 401, 404, 405, 407, 415, 420, 486, 488, 501])
"""Codes with which healthy trunks answer OPTIONS: they know the request, even where they will not serve it."""

DOUBTFUL = parse_codes(["3xx", "4xx", 600, 603, 604, 606, 607]) - PROVE_LIFE - {408}
"""The target lives, but not as a trunk should: it refuses us (403), has nobody there (480), loops (482, 483)."""

REGISTERED = parse_codes(["2xx"])
"""A registrar that does not register an account is of no use to it, whatever it says: all other codes are bad."""

REFUSALS = frozenset({401, 403, 407})
"""What our credentials were not taken with."""


def options_verdict(status: int) -> Verdict:
    """Of OPTIONS: PROVE_LIFE is good, DOUBTFUL degraded, the rest (408, 5xx, 600) bad. An answer of 503 is the
    target's own word; a time-out of ours never becomes a 408."""
    if status in PROVE_LIFE:
        return Verdict.GOOD
    return Verdict.DEGRADED if status in DOUBTFUL else Verdict.BAD


def register_verdict(status: int) -> Verdict:
    """Of REGISTER."""
    return Verdict.GOOD if status in REGISTERED else Verdict.BAD
