"""What holds for every answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.agent.real import REPOSITORY
from tests.web.house import TRUNK, House

PATHS = [
    "/",
    f"/services/{TRUNK}",
    "/months/2026-10",
    "/claims",
    "/metrics",
    "/readyz",
    "/nothing",
    "/api/v1/services",
]


def test_every_answer_forbids_what_the_pages_do_not_need(house: House) -> None:
    async def look() -> None:
        async with house.served() as site:
            for path in (*PATHS, "/static/ringback.css", "/events"):
                async with site.client.get(path) as answer:
                    policy = answer.headers["Content-Security-Policy"]
                    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
                    assert "unsafe" not in policy
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
                    assert answer.headers["Server"] == "ringback"

    asyncio.run(look())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(house: House, method: str) -> None:
    async def send() -> None:
        async with house.served() as site:
            for path in PATHS:
                async with site.client.request(method, path, data=b"x" * 100) as answer:
                    assert answer.status in (404, 405)
            async with site.client.request(method, "/claims") as answer:
                assert answer.headers["Allow"] == "GET,HEAD"

    asyncio.run(send())


@pytest.mark.parametrize(
    "path",
    [
        "/static/../application.py",
        "/static/..%2fapplication.py",
        "/static/%2e%2e/application.py",
        "/static//etc/passwd",
        "/static/ringback.css%00",
        "/services/..%2f..%2fringback.yml",
        "/months/..",
        "/%",
    ],
)
def test_no_address_leads_out_of_what_is_served(house: House, path: str) -> None:
    async def ask() -> tuple[int, bytes]:
        async with house.served() as site:
            host, port = site.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            return int(answer.split()[1]), answer

    status, answer = asyncio.run(ask())
    assert status in (400, 404)
    assert b"web_app" not in answer
    assert b"root:" not in answer


def test_what_a_request_says_is_shown_as_text_only(house: House) -> None:
    async def ask() -> list[str]:
        bad = "%3Cscript%3Ealert(1)%3C/script%3E"
        async with house.served() as site:
            found = await site.text(f"/?q={bad}")
            gone = await site.text(f"/services/{bad.replace('/', '%2F')}", 404)
            wrong = await site.text(f"/?state={bad}", 400)
            return [found, gone, wrong]

    for page in asyncio.run(ask()):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_host_that_is_asked_for_decides_nothing(house: House) -> None:
    async def ask() -> str:
        async with house.served() as site, site.client.get("/", headers={"Host": "evil.example"}) as answer:
            return await answer.text()

    assert "evil" not in asyncio.run(ask())


def test_pages_load_nothing_from_elsewhere_and_carry_no_inline_code() -> None:
    for template in (REPOSITORY / "monitor" / "web" / "templates").iterdir():
        text = template.read_text()
        for forbidden in (
            "http:",
            "https:",
            "style=",
            "<style",
            "onclick",
            "onload",
            "javascript:",
            "| safe",
        ):
            assert forbidden not in text, template.name
