"""The pages for people, rendered on the server."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.config.values import Configuration
from monitor.ledger import explanation_text
from monitor.ledger.claim_sums import Line, sums_of_year
from monitor.ledger.claims import STEPS
from monitor.ledger.customers import customers
from monitor.ledger.entitlements import Entitlement, Wanted, of_month
from monitor.ledger.revisions import RevisedMonth, revisions
from monitor.live import Live
from monitor.sla.figures import duration
from monitor.sla.months import Month, month_of
from monitor.web import overview, queries, service_page
from monitor.web.asking import LIMIT, NotThere, asked_claims, asked_month, number, required_month
from monitor.web.assets import Assets
from monitor.web.claims_page import by_month, claim_view, one_claim, standing
from monitor.web.explained_page import explained
from monitor.web.incident_view import OpenIncidents, open_now
from monitor.web.month_view import MonthView, reported_month, revised_view
from monitor.web.overview import ORDER, PAGE, Asked, Recorded, Selection, ServiceView
from monitor.web.queries import Excerpt, Portion
from monitor.web.reading import Reader, Unreadable
from monitor.web.slices import Shared, in_turns
from monitor.web.wording import instant, round_trip

CLAIM_FILTERS = ("month", "state", "customer", "service")

Kept = tuple[list[Entitlement], list[RevisedMonth]]

OUTPUTS = 100
"""What a template puts out before the loop gets its turn."""


class Pages:
    """Handlers of the pages. The same page for several readers at once is rendered once."""

    def __init__(
        self,
        live: Live,
        configuration: Callable[[], Configuration],
        reader: Reader,
        assets: Assets,
        troubles: Callable[[], list[str]],
        now_ms: Callable[[], int],
    ) -> None:
        self._live = live
        self._configuration = configuration
        self._reader = reader
        self._assets = assets
        self._troubles = troubles
        self._now_ms = now_ms
        self._shared = Shared()
        self._templates = Environment(
            loader=PackageLoader("monitor", "web/templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"round_trip": round_trip, "decimal": Decimal}

    async def overview(self, request: web.Request) -> web.Response:
        asked = Asked.parse(request.query)
        return await self._page(("overview", asked), partial(self._overview, asked))

    async def service(self, request: web.Request) -> web.Response:
        service_id, month = request.match_info["service"], asked_month(request.query)
        if service_id not in self._live.services:
            raise NotThere(f"There is no service {service_id!r:.80}.")
        return await self._page(("service", service_id, month), partial(self._service, service_id, month))

    async def explained(self, request: web.Request) -> web.Response:
        service_id, month = request.match_info["service"], required_month(request.match_info["month"])
        if service_id not in self._live.services:
            raise NotThere(f"There is no service {service_id!r:.80}.")
        return await self._page(("explained", service_id, month), partial(self._explained, service_id, month))

    async def month(self, request: web.Request) -> web.Response:
        month, page = required_month(request.match_info["month"]), max(1, number(request.query, "page", 1))
        return await self._page(("month", month, page), partial(self._month, month, page))

    async def claims(self, request: web.Request) -> web.Response:
        query = request.query
        wanted = asked_claims(query, self._configuration())
        page = max(1, number(query, "page", 1))
        asked = tuple((name, query[name]) for name in CLAIM_FILTERS if query.get(name))
        return await self._page(("claims", asked, page), partial(self._claims, asked, wanted, page))

    async def claim(self, request: web.Request) -> web.Response:
        uid = request.match_info["uid"]
        return await self._page(("claim", uid), partial(self._claim, uid))

    async def error(self, status: int, message: str) -> web.Response:
        """A page that says what is wrong."""
        return _html(await self._render("error.html", status=status, message=message), status)

    async def _page(
        self, key: tuple[object, ...], work: Callable[[], Coroutine[Any, Any, str]]
    ) -> web.Response:
        return _html(await self._shared.result(key, work))

    async def _overview(self, asked: Asked) -> str:
        now_ms = self._now_ms()
        selection = (await in_turns(Selection.pieces(self._live.services, asked)))[-1]
        services = selection.page()
        keys = [(service.config.id, service.outage_since_ms) for service in services]
        known: dict[str, Recorded] = {}
        incidents = OpenIncidents()
        unreadable = None
        try:
            known, incidents = await self._reader.read(
                lambda db, now_ms: (overview.recorded(db, keys), open_now(db, now_ms))
            )
        except Unreadable as error:
            unreadable = str(error)
        views = await in_turns(
            overview.service_view(service, known.get(service.config.id), now_ms) for service in services
        )
        return await self._render(
            "overview.html",
            asked=asked,
            headline=overview.headline(selection.of_all),
            spread=overview.spread(selection.of_all),
            tabs=[(state.word, selection.counts[state]) for state in ORDER],
            tab_link=partial(_tab_link, asked.text),
            found=sum(selection.counts.values()),
            incidents=incidents,
            groups=_grouped(views),
            pager=Pager("/", asked.page, -(-selection.total // PAGE), _query(asked)),
            unreadable=unreadable,
        )

    async def _service(self, service_id: str, month: Month | None) -> str:
        service = self._live.services[service_id]
        history = await self._reader.read(
            lambda db, now_ms: service_page.history(db, now_ms, service.config, month)
        )
        now_ms = self._now_ms()
        return await self._render(
            "service.html",
            service=overview.service_view(service, None, now_ms),
            zone=service.config.zone,
            checks=await in_turns(service_page.check_details(service, now_ms)),
            history=history,
        )

    async def _explained(self, service_id: str, month: Month) -> str:
        service = self._live.services[service_id].config
        found = await self._reader.read(partial(explained, service=service, month=month))
        running = self._running_month()
        return await self._render(
            "explained.html",
            service=service,
            month=month,
            explained=found,
            told=explanation_text.told(found),
            text=explanation_text,
            following=month.next if month < running else None,
        )

    async def _month(self, month: Month, page: int) -> str:
        services = self._configuration().services
        wanted = Portion(LIMIT, LIMIT * (page - 1))

        def found(db: sqlite3.Connection, now_ms: int) -> tuple[Excerpt[MonthView], Kept]:
            reported = queries.reported(db, now_ms, services, month, wanted)
            views = [reported_month(one.figures, one.rolled) for one in reported.items]
            revised = [one.figures["service"] for one in reported.items if (one.revision or 0) > 1]
            return Excerpt(views, reported.total), (of_month(db, month), revisions(db, month, revised))

        excerpt, (drafted, revised) = await self._reader.read(found)
        running, now_ms = self._running_month(), self._now_ms()
        return await self._render(
            "month.html",
            month=month,
            months=excerpt.items,
            entitlements=standing(drafted),
            revised=[revised_view(one, now_ms) for one in revised],
            following=month.next if month < running else None,
            pager=Pager(f"/months/{month}", page, -(-excerpt.total // LIMIT)),
        )

    async def _claims(self, asked: tuple[tuple[str, str], ...], wanted: Wanted, page: int) -> str:
        some = Portion(LIMIT, LIMIT * (page - 1))
        whose = customers(self._configuration())
        year = (wanted.first or self._running_month()).year

        def found(db: sqlite3.Connection, now_ms: int) -> tuple[Excerpt[Entitlement], list[Line]]:
            return queries.entitlements(db, now_ms, wanted, some), sums_of_year(
                db, year, whose, wanted.services
            )

        excerpt, lines = await self._reader.read(found)
        now_ms = self._now_ms()
        pressing = self._live.claims.pressing(now_ms)
        return await self._render(
            "claims.html",
            claims=[claim_view(one, whose, now_ms) for one in excerpt.items],
            asked=dict.fromkeys(CLAIM_FILTERS, "") | dict(asked),
            filtered=bool(asked),
            states=tuple(STEPS),
            year=year,
            sums=by_month(lines),
            pressing=len(pressing),
            late=sum(one[2] <= now_ms for one in pressing),
            pager=Pager("/claims", page, -(-excerpt.total // LIMIT), asked),
        )

    async def _claim(self, uid: str) -> str:
        claim, *of_month = await self._reader.read(lambda db, _: one_claim(db, uid))
        whose, now_ms = customers(self._configuration()), self._now_ms()
        return await self._render(
            "claim.html",
            claim=claim_view(claim, whose, now_ms),
            chain=[claim_view(one, whose, now_ms) for one in of_month],
        )

    async def _render(self, template: str, **values: Any) -> str:
        outputs = self._templates.get_template(template).generate(**self._common(), **values)
        return "".join(await in_turns(bundled(outputs)))

    def _common(self) -> dict[str, Any]:
        """What every page shows."""
        live = self._live
        return {
            "vantage": live.vantage,
            "version": live.version,
            "tag": self._assets.tag,
            "now": instant(self._now_ms(), self._zone(), self._now_ms()),
            "running_month": self._running_month(),
            "notices": self._notices(),
        }

    def _notices(self) -> list[str]:
        """What an operator has to know before reading on."""
        live = self._live
        notices = self._troubles()
        if live.cut_off:
            notices.append("cut off: no reference target answers, so nothing is judged")
        if live.clock_ahead_ms:
            notices.append(
                "the host's clock was set back: records are ahead of it by " + duration(live.clock_ahead_ms)
            )
        if not live.config_ok:
            notices.append("the configuration file was refused; the earlier one runs on")
        return notices

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._configuration().zone)

    def _running_month(self) -> Month:
        return month_of(self._now_ms(), self._zone())


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a list stands that is longer than a page."""

    path: str
    page: int
    pages: int
    query: tuple[tuple[str, str], ...] = ()

    def link(self, page: int) -> str:
        return f"{self.path}?{urlencode([*self.query, ('page', page)])}"


def _tab_link(text: str, state: str | None) -> str:
    query = {"state": state, "q": text}
    given = urlencode({name: value for name, value in query.items() if value})
    return f"/?{given}" if given else "/"


def _query(asked: Asked) -> tuple[tuple[str, str], ...]:
    state = () if asked.state is None else (("state", asked.state.word),)
    return (*state, ("q", asked.text)) if asked.text else state


def _grouped(views: Sequence[ServiceView]) -> list[tuple[str, list[ServiceView]]]:
    groups: dict[str, list[ServiceView]] = {}
    for view in views:
        groups.setdefault(view.state, []).append(view)
    return list(groups.items())


def bundled(outputs: Iterable[str]) -> Iterator[str]:
    """A template's outputs, ``OUTPUTS`` of them at a time."""
    outputs = iter(outputs)
    while bundle := "".join(islice(outputs, OUTPUTS)):
        yield bundle


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)
