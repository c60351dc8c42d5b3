"""What was withdrawn, by whom and why: for people, and for programs."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from monitor.sla.months import local_iso

if TYPE_CHECKING:
    from monitor.store.exclusions import Withdrawal


def status(withdrawn: Withdrawal | None) -> str:
    return "in force" if withdrawn is None else f"withdrawn by {withdrawn.author}: {withdrawn.reason}"


def withdrawal_record(withdrawn: Withdrawal | None, zone: zoneinfo.ZoneInfo) -> dict[str, str] | None:
    if withdrawn is None:
        return None
    return {
        "reason": withdrawn.reason,
        "author": withdrawn.author,
        "entered": local_iso(withdrawn.entered_ms, zone),
    }
