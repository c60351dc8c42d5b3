"""Commands that change the ledger while an agent runs: it does the writing."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from monitor.config.loading import load
from monitor.control import control_app, post, socket_path
from monitor.store.database import StoreError
from monitor.store.signing_key import signing_key
from monitor.store.writer import Writer
from tests.cli.sites import Site


@contextmanager
def agent(site: Site) -> Iterator[Writer]:
    """What an agent has of this: the one writer, and the control socket in an event loop of its own."""
    configuration = load(site.config)
    writer = Writer(site.database, lambda: time.time_ns() // 1_000_000, signing_key(site.path))
    now = time.time_ns() // 1_000_000
    writer.begin_run("lux", "0", now).result(10)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve() -> web.AppRunner:
        runner = web.AppRunner(
            control_app(writer.submit, writer.seal, lambda: configuration), access_log=None
        )
        await runner.setup()
        await web.UnixSite(runner, str(socket_path(site.path))).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    try:
        yield writer
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        writer.close()


def test_the_running_agent_imports_excludes_withdraws_and_freezes(site: Site) -> None:
    with agent(site):
        imported = site.json("import", "history", site.history())
        assert imported == {"spans": 3, "exclusions": 0, "known": 0, "revised": [], "applied": True}
        (owed,) = site.json("credits", "2026-10")["entitlements"]
        assert owed["amount"] == "60.00"
        window = ("--from", "2026-10-10T10:00", "--to", "2026-10-10T11:00", "--reason", "new SBC")
        refused = site.run("exclude", "add", "--all", "--class", "maintenance", *window)
        assert refused.exit_code == 1
        assert site.json("exclude", "list") == []
        window = (*window, "--apply")
        added = site.json("exclude", "add", "--all", "--class", "maintenance", *window)
        assert [one["revision"] for one in added["revised"]] == [2]
        withdrawn = site.json("exclude", "withdraw", added["uid"][:8], "--reason", "typo", "--apply")
        assert withdrawn["uid"] == added["uid"]
        assert [one["state"] for one in site.json("credits", "2026-10")["entitlements"]][-1] == "draft"


def test_a_process_of_its_own_reaches_the_agent(site: Site) -> None:
    with agent(site):
        assert site.process("import", "history", site.history()).returncode == 0
        assert "60.00 EUR" in site.process("credits", "2026-10").stdout


def test_what_the_agent_refuses_is_told_with_exit_one(site: Site) -> None:
    with agent(site):
        result = site.run("exclude", "withdraw", "ffff", "--reason", "typo")
        assert (result.exit_code, result.stderr) == (
            1,
            "ringback: there is no exclusion whose id begins with 'ffff'\n",
        )


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/v1/requests/exclude", b"{", "expected a JSON object"),
        ("/v1/requests/exclude", b"[]", "expected a JSON object"),
        ("/v1/requests/exclude", json.dumps({"scope": "all", "colour": "red"}).encode(), "colour: "),
        ("/v1/requests/withdraw-exclusion", b'{"uid": "", "reason": "x", "author": "x"}', "uid: "),
        ("/v1/freeze", b'{"month": "2026-13"}', "expected a month such as 2026-10"),
        ("/v1/import-history", b"{}", "line 1: "),
        ("/v1/requests/nothing", b"{}", "404"),
        (
            "/v1/requests/withdraw-exclusion?mode=never",
            b'{"uid": "f", "reason": "x", "author": "x"}',
            "mode: expected one of apply, careful, rehearse",
        ),
        ("/v1/nothing", b"{}", "404"),
    ],
)
def test_requests_are_checked_as_commands_are(site: Site, path: str, body: bytes, said: str) -> None:
    with agent(site), pytest.raises(StoreError, match=said):
        post(socket_path(site.path), path, body)


def test_a_database_of_another_agent_is_not_written_through_this_one(site: Site) -> None:
    other = site.path / "other.db"
    writer = Writer(other, lambda: 0)
    try:
        with agent(site):
            result = site.run("--db", other, "import", "history", site.history())
    finally:
        writer.close()
    assert result.exit_code == 1
    assert "another process is writing to it" in result.stderr


def test_a_locked_database_without_an_agent_is_told(site: Site) -> None:
    writer = Writer(site.database, lambda: 0)
    try:
        result = site.run("import", "history", site.history())
    finally:
        writer.close()
    assert result.exit_code == 1
    assert "no agent answers" in result.stderr
