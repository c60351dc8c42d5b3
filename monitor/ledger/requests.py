"""All kinds of requests, by their names: a new one takes part by standing here."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.ledger.calendars import ImportCalendar
from monitor.ledger.claiming import Approve, Reject, Settle, Submit, WithdrawClaim
from monitor.ledger.correcting import Correct, WithdrawCorrection
from monitor.ledger.excluding import Exclude, ExcludeEach, Withdraw
from monitor.ledger.incidents import EnterEvent, LinkOutage, OpenIncident
from monitor.ledger.reopening import Reopen
from monitor.ledger.request import Request

REQUESTS: Mapping[str, type[Request]] = {
    one.kind: one
    for one in (
        *(Exclude, ExcludeEach, ImportCalendar, Withdraw),
        *(Correct, WithdrawCorrection),
        *(Approve, Submit, Settle, Reject, WithdrawClaim, Reopen),
        *(OpenIncident, EnterEvent, LinkOutage),
    )
}
