"""Reload, drain, restart, a full disk: what was seen is kept, what was not seen is unknown."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.agent.real import Process, Ringback, eventually, free_port, nginx, running


def link(port: int, name: str = "link") -> str:
    return f'  - {{id: {name}, kind: link, checks: ["tcp://127.0.0.1:{port}"]}}\n'


@pytest.fixture
def server(tmp_path: Path):
    port = free_port()
    process = nginx(tmp_path, port)
    with running(process):
        yield process, port


def restarted(process: Process) -> None:
    process.signal(signal.SIGTERM)
    assert process.child is not None
    assert process.child.wait(20) == 0
    process.start()


def test_a_reload_changes_only_what_changed(tmp_path: Path, server):
    _, port = server
    agent = Ringback(tmp_path, link(port, "stays") + link(port, "goes"))
    with running(agent):
        eventually(lambda: agent.state("stays") == agent.state("goes") == "up")
        agent.services = link(port, "stays") + link(port, "comes")
        agent.write()
        agent.signal(signal.SIGHUP)
        eventually(lambda: agent.state("comes") == "up")
        assert agent.state("goes") is None, "no series of what is gone"
        stays = agent.rows("SELECT state FROM service_states WHERE service = 'stays'")
        assert [row["state"] for row in stays] == ["up"], "no gap for what stays"
        goes = agent.rows("SELECT state, reason FROM service_states WHERE service = 'goes'")
        assert [(row["state"], row["reason"]) for row in goes] == [
            ("up", "connected"),
            ("unknown", "no longer watched"),
        ]


def test_a_bad_file_is_refused_and_the_old_one_runs_on(tmp_path: Path, server):
    process, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        eventually(lambda: agent.state("link") == "up")
        agent.config.write_text(agent.config.read_text() + "unknown_key: 1\n")
        agent.signal(signal.SIGHUP)
        eventually(lambda: agent.metric("ringback_config_last_reload_successful") == 0)
        assert "unknown_key" in agent.log.read_text()
        process.kill()
        eventually(lambda: agent.state("link") == "down")
        agent.write()
        agent.signal(signal.SIGHUP)
        eventually(lambda: agent.metric("ringback_config_last_reload_successful") == 1)


def test_of_two_reloads_in_a_row_the_last_file_counts(tmp_path: Path, server):
    _, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        for services in (many(port), link(port, "last")):
            agent.services = services
            agent.write()
            agent.signal(signal.SIGHUP)
        eventually(lambda: agent.state("last") == "up", 20)
        assert agent.state("link-0") is None


def test_a_stop_while_a_file_is_read_again_ends_in_order(tmp_path: Path, server):
    _, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        eventually(lambda: agent.state("link") == "up")
        agent.services = many(port)
        agent.write()
        agent.signal(signal.SIGHUP)
        agent.signal(signal.SIGTERM)
        assert agent.child is not None
        assert agent.child.wait(20) == 0
        assert "Traceback" not in agent.log.read_text()
        assert agent.rows("SELECT count(*) AS number FROM services") == [{"number": 1}]


def many(port: int) -> str:
    return "".join(link(port, f"link-{number}") for number in range(500))


def test_a_check_that_is_changed_keeps_its_open_outage(tmp_path: Path):
    agent = Ringback(tmp_path, link(free_port()))
    with running(agent):
        eventually(lambda: agent.state("link") == "down")
        (before,) = agent.down_spans("link")
        agent.services = agent.services.replace('["tcp', '[{interval: 600ms, target: "tcp').replace(
            '"]}', '"}]}'
        )
        agent.write()
        agent.signal(signal.SIGHUP)
        eventually(lambda: len(agent.down_spans("link")) == 2)
        assert {span["outage"] for span in agent.down_spans("link")} == {before["outage"]}


def test_a_stop_drains_and_the_time_until_the_next_start_is_unknown(tmp_path: Path, server):
    _, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        eventually(lambda: agent.state("link") == "up")
        restarted(agent)
        eventually(lambda: agent.state("link") == "up")
        states = agent.rows("SELECT state, reason FROM service_states WHERE service = 'link'")
        assert [row["state"] for row in states] == ["up", "unknown", "up"]
        assert states[1]["reason"] == "agent stopped"
        (first, _) = agent.rows("SELECT * FROM runs ORDER BY key")
        assert first["stopped_ms"] == first["heartbeat_ms"]


def test_an_outage_that_is_open_at_a_stop_goes_on_as_the_same_outage(tmp_path: Path, server):
    process, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        eventually(lambda: agent.state("link") == "up")
        process.kill()
        eventually(lambda: agent.state("link") == "down")
        restarted(agent)
        eventually(lambda: agent.state("link") == "down")
        assert len({span["outage"] for span in agent.down_spans("link")}) == 1
        assert len(agent.down_spans("link")) == 2, "the time between is unknown"


def test_a_second_agent_on_the_same_database_is_refused(tmp_path: Path, server):
    _, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        second = agent.command("agent")
        assert second.returncode == 1
        assert "another process" in second.stderr
        assert "Traceback" not in second.stderr


def test_probes_that_were_missed_are_unknown_time_and_nothing_is_down(tmp_path: Path, server):
    """The whole agent stands still (SIGSTOP) for longer than several intervals."""
    _, port = server
    agent = Ringback(tmp_path, link(port))
    with running(agent):
        eventually(lambda: agent.state("link") == "up")
        agent.signal(signal.SIGSTOP)
        time.sleep(2)  # what is tested is that this time passes unseen
        agent.signal(signal.SIGCONT)
        eventually(lambda: len(agent.rows("SELECT * FROM spans")) == 3)
        states = agent.rows("SELECT state, seconds, reason FROM service_states")
        assert [row["state"] for row in states] == ["up", "unknown", "up"]
        assert states[1]["reason"] == "missed"
        assert 1 < states[1]["seconds"] < 3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_with_a_full_disk_nothing_is_lost_and_readiness_says_so(tmp_path: Path, server):
    process, port = server
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(state)], check=True)
    try:
        agent = Ringback(tmp_path, link(port))
        with running(agent):
            eventually(lambda: agent.state("link") == "up")
            filler = state / "filler"
            with filler.open("wb", buffering=0) as out:
                try:
                    while True:
                        out.write(b"x" * 4096)
                except OSError:
                    pass
            process.kill()
            eventually(lambda: agent.metric("ringback_store_queue_length"), 30)
            assert agent.state("link") == "up", "what is not on disk is not shown"
            filler.unlink()
            eventually(lambda: agent.state("link") == "down")
            eventually(lambda: agent.metric("ringback_store_queue_length") == 0)
            assert agent.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    finally:
        # the kernel lets go of the files of a process a moment after it has ended
        eventually(lambda: subprocess.run(["umount", str(state)], check=False).returncode == 0)


def test_metrics_show_what_the_probers_saw(tmp_path: Path, server):
    _, port = server
    agent = Ringback(tmp_path, f'  - {{id: page, kind: link, checks: ["http://127.0.0.1:{port}/"]}}\n')
    with running(agent):
        series = f'{{service="page",check="http://127.0.0.1:{port}/"}}'
        eventually(lambda: agent.metric(f"ringback_probe_http_status_code{series}") == 200)
        assert agent.metric(f"ringback_probe_http_ssl{series}") == 0
