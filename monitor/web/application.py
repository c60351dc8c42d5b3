"""The HTTP side of the agent: which address shows what, and what holds for every answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.config.values import Configuration
from monitor.live import Live
from monitor.web.api import Api
from monitor.web.asking import BadRequest, NotThere
from monitor.web.assets import Assets
from monitor.web.events import Events
from monitor.web.health import Health
from monitor.web.metrics import Metrics
from monitor.web.pages import Pages
from monitor.web.probing import AskedProber, Probing
from monitor.web.reading import Reader, Unreadable

BODY_LIMIT = 1024
"""Bytes of a request's body at most: there is nothing to send here."""

_HEADERS = {
    "Server": "ringback",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

log = structlog.get_logger("web")


def wall_ms() -> int:
    """Milliseconds of UTC by the host's clock."""
    return time.time_ns() // 1_000_000


def web_app(
    live: Live,
    configuration: Callable[[], Configuration],
    database: Path,
    prober: AskedProber,
    now_ms: Callable[[], int] = wall_ms,
) -> web.Application:
    """Pages, API and metrics over what is live and what is in the database, and probes on demand. It only reads.

    ``prober``: of a kind of prober the one at work. ``now_ms``: the instant that is now on the time line of the
    records.
    """
    reader = Reader(database, now_ms)
    assets = Assets()
    health = Health(live, configuration, now_ms)
    metrics = Metrics(live, now_ms)
    events = Events(live)
    api = Api(live, configuration, reader, now_ms)
    probing = Probing(live, configuration, prober)
    pages = Pages(live, configuration, reader, assets, health.troubles, now_ms)
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_refusals(pages)])
    app.add_routes(
        [
            web.get("/", pages.overview),
            web.get("/services/{service}", pages.service),
            web.get("/services/{service}/months/{month}", pages.explained),
            web.get("/months/{month}", pages.month),
            web.get("/claims", pages.claims),
            web.get("/claims/{uid}", pages.claim),
            web.get("/static/{name}", assets.serve),
            web.get("/metrics", metrics.scrape),
            web.get("/probe", probing.probe),
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/events", events.listen),
            web.get("/api/v1/openapi.json", api.openapi),
            web.get("/api/v1/services", api.services),
            web.get("/api/v1/services/{service}", api.service),
            web.get("/api/v1/services/{service}/months/{month}", api.explained),
            web.get("/api/v1/outages", api.outages),
            web.get("/api/v1/months/{month}", api.month),
            web.get("/api/v1/claims", api.claims),
            web.get("/api/v1/incidents", api.incidents),
        ]
    )
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(events.close)
    return app


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


def _refusals(pages: Pages) -> Middleware:
    """Whatever cannot be answered is said in the form of what was asked for: JSON, or a page."""

    @web.middleware
    async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            return await handler(request)
        except BadRequest as error:
            status, message = 400, str(error)
        except NotThere as error:
            status, message = 404, str(error)
        except Unreadable as error:
            status, message = 503, f"the database cannot be read: {error}"
        except web.HTTPException as error:
            status, message = error.status, _told(error)
            headers = {
                name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers
            }
        except ConnectionResetError:
            raise
        except Exception:
            log.exception("a request failed; this is a fault of ours", path=request.path)
            status, message = 500, "this is a fault of ours; the log has more"
        if request.path.startswith("/api/"):
            response = web.json_response({"error": message}, status=status)
        else:
            response = await pages.error(status, message)
        response.headers.update(headers)
        return response

    return refusals


def _told(error: web.HTTPException) -> str:
    phrase = HTTPStatus(error.status).phrase
    return error.text if error.text and error.text != f"{error.status}: {error.reason}" else phrase
