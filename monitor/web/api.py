"""``/api/v1``: the same JSON as the commands print, a portion at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web

from monitor.config.values import Configuration, ServiceConfig
from monitor.ledger.claim_record import claim_record
from monitor.ledger.customers import customers
from monitor.ledger.explanation_record import explanation_record
from monitor.ledger.incident_record import incident_record
from monitor.ledger.outages import outage_record
from monitor.live import Live
from monitor.sla.months import local_iso
from monitor.store.incidents import WantedIncidents
from monitor.web import queries
from monitor.web.asking import NotThere, asked_claims, asked_month, flag, portion, required_month
from monitor.web.explained_page import explained
from monitor.web.queries import Excerpt
from monitor.web.reading import Reader
from monitor.web.records import service_record
from monitor.web.slices import in_turns

T = TypeVar("T")


class Api:
    """Handlers of the API. Each answers JSON; how many there are in all is in ``X-Total-Count``."""

    def __init__(
        self,
        live: Live,
        configuration: Callable[[], Configuration],
        reader: Reader,
        now_ms: Callable[[], int],
    ) -> None:
        self._live = live
        self._configuration = configuration
        self._reader = reader
        self._now_ms = now_ms
        self._document = resources.files("monitor.web").joinpath("openapi.json").read_text("utf-8")

    async def openapi(self, _: web.Request) -> web.Response:
        return web.json_response(text=self._document)

    async def services(self, request: web.Request) -> web.Response:
        wanted = portion(request.query).of(tuple(self._live.services.values()))
        now_ms = self._now_ms()
        records = await in_turns(_text(service_record(service, now_ms)) for service in wanted.items)
        agent = _text(self._agent())
        return _answer(f'{{"agent": {agent}, "services": [{", ".join(records)}]}}', wanted.total)

    async def service(self, request: web.Request) -> web.Response:
        service_id = request.match_info["service"]
        service = self._live.services.get(service_id)
        if service is None:
            raise NotThere(f"there is no service {service_id!r:.80}")
        return _answer(_text(service_record(service, self._now_ms())))

    async def explained(self, request: web.Request) -> web.Response:
        month = required_month(request.match_info["month"])
        (service,) = self._services(request.match_info["service"])

        def answer(db: sqlite3.Connection, now_ms: int) -> str:
            return _text(explanation_record(explained(db, now_ms, service, month)))

        return _answer(await self._reader.read(answer))

    async def outages(self, request: web.Request) -> web.Response:
        query = request.query
        found = partial(
            queries.outages,
            services=self._services(query.get("service")),
            month=asked_month(query),
            portion=portion(query),
        )
        return await self._listed(found, lambda one: outage_record(one[0], one[2], one[1]), _text)

    async def month(self, request: web.Request) -> web.Response:
        configuration = self._configuration()
        month = required_month(request.match_info["month"])
        services = self._services(request.query.get("service"))
        zones = {service.zone for service in services}
        zone = zones.pop() if len(zones) == 1 else configuration.zone
        found = partial(queries.reported, services=services, month=month, portion=portion(request.query))
        return await self._listed(
            found,
            lambda one: one.figures,
            lambda figures: _text({"month": str(month), "timezone": zone, "services": figures}),
        )

    async def claims(self, request: web.Request) -> web.Response:
        configuration = self._configuration()
        zone, whose = ZoneInfo(configuration.zone), customers(configuration)
        wanted = asked_claims(request.query, configuration)
        found = partial(queries.entitlements, wanted=wanted, portion=portion(request.query))
        head = {"month": None if wanted.first is None else str(wanted.first), "timezone": zone.key}
        return await self._listed(
            found,
            lambda one: claim_record(one, whose, zone),
            lambda records: _text({**head, "entitlements": records}),
        )

    async def incidents(self, request: web.Request) -> web.Response:
        query = request.query
        service = query.get("service")
        services = None if service is None else [one.id for one in self._services(service)]
        wanted = WantedIncidents(services, only_open=flag(query, "open"))
        found = partial(queries.incidents, wanted=wanted, portion=portion(query))
        return await self._listed(found, incident_record, _text)

    async def _listed(
        self,
        found: Callable[[sqlite3.Connection, int], Excerpt[T]],
        record: Callable[[T], Mapping[str, Any]],
        document: Callable[[list[Any]], str],
    ) -> web.Response:
        """Read and render off the loop; both can be long."""

        def answer(db: sqlite3.Connection, now_ms: int) -> tuple[str, int]:
            excerpt = found(db, now_ms)
            return document([record(one) for one in excerpt.items]), excerpt.total

        return _answer(*await self._reader.read(answer))

    def _services(self, service_id: str | None) -> tuple[ServiceConfig, ...]:
        services = self._configuration().services
        if service_id is None:
            return services
        found = tuple(service for service in services if service.id == service_id)
        if not found:
            raise NotThere(f"there is no service {service_id!r:.80}")
        return found

    def _agent(self) -> dict[str, Any]:
        live, zone = self._live, ZoneInfo(self._configuration().zone)
        return {
            "vantage": live.vantage,
            "version": live.version,
            "probing": live.probing,
            "store_failing": live.store_failing,
            "cut_off": live.cut_off,
            "clock_ahead_ms": live.clock_ahead_ms,
            "covered_to": local_iso(live.covered_ms, zone) if live.covered_ms else None,
        }


def _answer(text: str, total: int | None = None) -> web.Response:
    headers = {} if total is None else {"X-Total-Count": str(total)}
    return web.json_response(text=text, headers=headers)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
