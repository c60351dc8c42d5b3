"""The API: what it answers, and that openapi.json says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.ledger.incidents import OpenIncident
from monitor.ledger.request import checked
from monitor.track.states import State
from tests.web.house import LINK, PBX, TRUNK, House, crowd
from tests.web.schema import mistakes


def ask(house: House, *paths: str) -> list[tuple[int, Any, dict[str, str]]]:
    """Status, JSON and headers of each answer."""

    async def get() -> list[tuple[int, Any, dict[str, str]]]:
        found = []
        async with house.served() as site:
            for path in paths:
                async with site.client.get(path) as answer:
                    assert answer.headers["Content-Type"].startswith("application/json")
                    found.append((answer.status, json.loads(await answer.text()), dict(answer.headers)))
        return found

    return asyncio.run(get())


def get(house: House, path: str) -> Any:
    ((status, answer, _),) = ask(house, path)
    assert status == 200, answer
    return answer


REQUESTS = [
    ("/api/v1/services", "/api/v1/services"),
    ("/api/v1/services/{service}", f"/api/v1/services/{TRUNK}"),
    ("/api/v1/services/{service}", f"/api/v1/services/{LINK}"),
    ("/api/v1/services/{service}", "/api/v1/services/nobody"),
    ("/api/v1/services/{service}/months/{month}", f"/api/v1/services/{TRUNK}/months/2026-10"),
    ("/api/v1/services/{service}/months/{month}", f"/api/v1/services/{TRUNK}/months/2026-11"),
    ("/api/v1/services/{service}/months/{month}", f"/api/v1/services/{LINK}/months/2026-11"),
    ("/api/v1/services/{service}/months/{month}", f"/api/v1/services/{TRUNK}/months/2031-01"),
    ("/api/v1/services/{service}/months/{month}", f"/api/v1/services/{TRUNK}/months/may"),
    ("/api/v1/services/{service}/months/{month}", "/api/v1/services/nobody/months/2026-10"),
    ("/api/v1/outages", "/api/v1/outages"),
    ("/api/v1/outages", "/api/v1/outages?service=acme-trunk&month=2026-10&limit=1"),
    ("/api/v1/outages", "/api/v1/outages?service=nobody"),
    ("/api/v1/outages", "/api/v1/outages?month=2026-13"),
    ("/api/v1/months/{month}", "/api/v1/months/2026-10"),
    ("/api/v1/months/{month}", "/api/v1/months/2026-11"),
    ("/api/v1/months/{month}", "/api/v1/months/2031-01"),
    ("/api/v1/months/{month}", "/api/v1/months/october"),
    ("/api/v1/claims", "/api/v1/claims"),
    ("/api/v1/claims", "/api/v1/claims?month=2026-10"),
    ("/api/v1/claims", "/api/v1/claims?state=draft&customer=ACME S.A.&service=acme-trunk"),
    ("/api/v1/claims", "/api/v1/claims?customer=nobody"),
    ("/api/v1/claims", "/api/v1/claims?limit=0"),
    ("/api/v1/incidents", "/api/v1/incidents"),
    ("/api/v1/incidents", "/api/v1/incidents?open=true&service=acme-trunk&limit=1"),
    ("/api/v1/incidents", "/api/v1/incidents?service=nobody"),
    ("/api/v1/incidents", "/api/v1/incidents?open=perhaps"),
]


def test_every_answer_is_as_openapi_says(house: House) -> None:
    for service in (TRUNK, LINK):  # with clocks, and without a plan
        asked = {"service": service, "reported_ms": house.now_ms - 86_400_000, "author": "noc"}
        house.ask(checked(OpenIncident, asked))
    document = get(house, "/api/v1/openapi.json")
    for (path, request), (status, answer, headers) in zip(
        REQUESTS, ask(house, *(request for _, request in REQUESTS)), strict=True
    ):
        told = document["paths"][path]["get"]["responses"][str(status)]
        schema = told["content"]["application/json"]["schema"]
        assert list(mistakes(document, schema, answer)) == [], request
        assert set(told.get("headers", ())) <= set(headers)


def test_openapi_has_every_path_that_is_served(house: House) -> None:
    document = get(house, "/api/v1/openapi.json")
    assert document["openapi"] == "3.1.0"
    served = {resource.canonical for resource in house.app().router.resources()}
    assert set(document["paths"]) == {
        path for path in served if path.startswith("/api/") and not path.endswith("openapi.json")
    }
    assert {path for path, _ in REQUESTS} == set(document["paths"])


def command(house: House, *words: str) -> Any:
    file = str(house.configuration.path)
    result = CliRunner().invoke(main, ["--config", file, *words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_month_is_what_the_report_command_prints(house: House) -> None:
    answer = get(house, "/api/v1/months/2026-10")
    assert answer == command(house, "report", "2026-10")
    assert answer["services"][0]["credit"]["amount"] == "60.00"
    assert get(house, f"/api/v1/months/2026-10?service={TRUNK}")["services"] == answer["services"][:1]


def test_claims_are_what_the_credits_command_prints(house: House) -> None:
    assert get(house, "/api/v1/claims?month=2026-10") == command(house, "credits", "2026-10")
    assert len(get(house, "/api/v1/claims")["entitlements"]) == 1


def test_outages_are_those_of_the_outages_command_the_latest_first(house: House) -> None:
    found = get(house, "/api/v1/outages?month=2026-10")
    assert found == command(house, "outages", "--month", "2026-10")
    latest, earlier = get(house, f"/api/v1/outages?service={TRUNK}")
    assert (latest["first_bad"], latest["last_good"], latest["open"], latest["down_ms"]) == (
        "2026-11-20T13:50:00+01:00",
        "2026-11-20T13:49:55+01:00",
        True,
        751_000,
    )
    assert earlier == found[0]
    assert get(house, f"/api/v1/outages?service={PBX}") == []


def test_a_month_has_the_outages_that_touch_it_in_the_contracts_zone(house: House) -> None:
    house.turn(PBX, State.DOWN, "2026-11-20T13:00:00")
    assert [one["service"] for one in get(house, "/api/v1/outages?month=2026-11")] == [TRUNK, PBX]
    assert get(house, "/api/v1/outages?month=2026-12") == []


def test_a_service_shows_what_is_live(house: House) -> None:
    service = get(house, f"/api/v1/services/{TRUNK}")
    assert (service["state"], service["since"], service["for_ms"]) == (
        "down",
        "2026-11-20T13:50:00+01:00",
        751_000,
    )
    assert service["outage_since"] == service["since"]
    first, second = service["checks"]
    assert first["last"] == {
        "sent": "2026-11-20T14:02:29.750+01:00",
        "verdict": "bad",
        "reason": "timeout",
        "round_trip_s": None,
        "phases": [],
        "detail": {},
    }
    assert second["last"]["round_trip_s"] == 0.012345
    assert second["last"]["detail"] == {"server": "kamailio"}
    assert service["month"]["down_ms"] == 751_000


def portions(house: House, path: str, sizes: Sequence[int], key: str | None) -> list[Any]:
    answers = [
        ask(house, f"{path}?limit={size}&offset={sum(sizes[:n])}")[0][1] for n, size in enumerate(sizes)
    ]
    return [item for answer in answers for item in (answer[key] if key else answer)]


def test_long_answers_come_in_portions(house: House) -> None:
    crowd(house.live, 250)
    ((_, answer, headers),) = ask(house, "/api/v1/services")
    assert (len(answer["services"]), headers["X-Total-Count"]) == (100, "253")
    together = portions(house, "/api/v1/services", [100, 150, 100], "services")
    assert [one["service"] for one in together] == list(house.live.services)
    assert portions(house, "/api/v1/outages", [1, 1, 1], None) == get(house, "/api/v1/outages")
    months = portions(house, "/api/v1/months/2026-10", [2, 1], "services")
    assert months == get(house, "/api/v1/months/2026-10")["services"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "offset=-1", "offset=1e3", "limit="]
)
def test_a_portion_that_makes_no_sense_is_refused(house: House, query: str) -> None:
    ((status, answer, _),) = ask(house, f"/api/v1/outages?{query}")
    assert status == 400
    assert "expected" in answer["error"]


def test_what_is_not_there_is_said_in_json(house: House) -> None:
    for status, answer, _ in ask(house, "/api/v1/services/nobody", "/api/v2", "/api/v1/months/2026-10/x"):
        assert status == 404
        assert set(answer) == {"error"}


def test_without_a_database_the_answer_says_so(house: House) -> None:
    house.close()
    for file in house.directory.glob("ringback.db*"):
        file.unlink()
    ((status, answer, _), (alive, _, _)) = ask(house, "/api/v1/claims", "/api/v1/services")
    assert (status, alive) == (503, 200)
    assert "there is no database yet" in answer["error"]
