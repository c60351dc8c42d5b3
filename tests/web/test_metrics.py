"""/metrics as it is scraped."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from monitor.web.exposition import SLICE, Exposition
from tests.agent.real import Process, free_port
from tests.peers import peer
from tests.web.house import PBX, TRUNK, House, counting_turns, crowd
from tests.web.promtool import lint


def test_promtool_has_nothing_to_say_of_a_whole_scrape(house: House) -> None:
    async def scrape() -> str:
        async with house.served() as site:
            return await site.text("/metrics")

    assert lint(asyncio.run(scrape())) == ""


def test_it_is_the_text_format_whatever_else_is_accepted(house: House) -> None:
    async def scrape() -> None:
        async with house.served() as site:
            for accept in ("*/*", "application/openmetrics-text; version=1.0.0", "text/html"):
                headers = {"Accept": accept, "Accept-Encoding": "gzip"}
                async with site.client.get("/metrics", headers=headers) as answer:
                    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
                    assert "Content-Encoding" not in answer.headers
                    assert len(await answer.read()) == int(answer.headers["Content-Length"])

    asyncio.run(scrape())


def test_head_has_the_headers_and_no_body(house: House) -> None:
    async def head() -> None:
        async with house.served() as site, site.client.head("/metrics") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert await answer.read() == b""

    asyncio.run(head())


def test_the_agent_shows_itself(house: House) -> None:
    house.live.lateness.observe(0.003)
    house.live.lateness.observe(9.0)
    house.live.loop_lag_s = 0.004
    house.live.queued = 7
    house.live.cut_off = True
    house.live.clock_ahead_ms = 1500
    house.live.config_ok = False

    async def scrape() -> dict[str, str]:
        async with house.served() as site:
            return await site.series()

    found = {name: float(value) for name, value in asyncio.run(scrape()).items()}
    assert found['ringback_schedule_lateness_seconds_bucket{le="0.002"}'] == 0
    assert found['ringback_schedule_lateness_seconds_bucket{le="0.005"}'] == 1
    assert found['ringback_schedule_lateness_seconds_bucket{le="+Inf"}'] == 2
    assert found["ringback_schedule_lateness_seconds_count"] == 2
    assert found["ringback_schedule_lateness_seconds_sum"] == 9.003
    assert found["ringback_loop_lag_seconds"] == 0.004
    assert found["ringback_store_queue_length"] == 7
    assert found["ringback_store_failing"] == 0
    assert found["ringback_cut_off"] == 1
    assert found["ringback_clock_ahead_seconds"] == 1.5
    assert found["ringback_config_last_reload_successful"] == 0
    assert found["ringback_config_last_reload_success_timestamp_seconds"] * 1000 == house.now_ms
    assert found["ringback_coverage_timestamp_seconds"] * 1000 == house.now_ms
    assert any(name.startswith("ringback_build_info{") and 'version="0.1.0"' in name for name in found)
    assert found["process_cpu_seconds_total"] > 0
    assert any(name.startswith("python_gc_collections_total") for name in found)
    assert not any("_created" in name for name in found)


def test_the_loop_has_its_turns_between_the_pieces(house: House) -> None:
    crowd(house.live, 4 * SLICE)
    pieces = len(list(Exposition(house.live.services).pieces(0)))

    async def scrape() -> int:
        async with house.served() as site:
            await site.text("/healthz")  # so that there is a connection
            counted = counting_turns()
            async with site.client.get("/metrics"):  # its headers come when all is rendered
                return counted[0]

    assert pieces > 60
    assert asyncio.run(scrape()) >= pieces


def test_scrapes_at_once_share_one_rendering(house: House) -> None:
    crowd(house.live, 4 * SLICE)
    at = iter(range(house.now_ms, house.now_ms + 1_000_000_000, 1_000_000))

    async def scrape() -> set[str]:
        async with house.served() as site:
            answers = await asyncio.gather(*(site.series() for _ in range(8)))
            return {answer[f'ringback_outage_open_seconds{{service="{TRUNK}"}}'] for answer in answers}

    house.clock = lambda: next(at)  # every rendering would show another duration
    assert len(asyncio.run(scrape())) < 8


def test_a_reader_that_goes_away_leaves_the_others_their_answer(house: House) -> None:
    crowd(house.live, 4 * SLICE)

    async def scrape() -> str:
        async with house.served() as site:
            first = asyncio.ensure_future(site.text("/metrics"))
            second = asyncio.ensure_future(site.text("/metrics"))
            await asyncio.sleep(0.01)
            first.cancel()
            return await second

    assert "ringback_month_credit" in asyncio.run(scrape())


def test_prometheus_scrapes_it(house: House, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "prometheus.yml"

    def ask(query: str) -> dict[str, float]:
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(url, timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
        return {one["metric"].get("service", ""): float(one["value"][1]) for one in result}

    def scraped() -> bool:
        try:
            return bool(ask("ringback_service_up"))
        except urllib.error.URLError:
            return False

    async def live() -> None:
        async with house.served() as site:
            target = site.url.removeprefix("http://")
            config.write_text(
                "scrape_configs: [{job_name: ringback, scrape_interval: 300ms, scrape_timeout: 300ms,"
                f" static_configs: [{{targets: ['{target}']}}]}}]"
            )
            argv = [peer("prometheus"), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
            argv.append(f"--storage.tsdb.path={tmp_path}/data")
            prometheus = Process(argv, scraped, tmp_path / "prometheus.log")
            try:
                await asyncio.to_thread(prometheus.start)
                assert await asyncio.to_thread(ask, "ringback_service_up") == {TRUNK: 0, PBX: 1}
                assert await asyncio.to_thread(ask, "scrape_samples_scraped > 80") != {}
            finally:
                if prometheus.child is not None:
                    prometheus.kill()

    asyncio.run(live())
