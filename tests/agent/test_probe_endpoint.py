"""``/probe`` of the running agent: reload, stop, and the calls that it makes."""

from __future__ import annotations

import signal
import threading
import urllib.error
from pathlib import Path

from tests.agent.real import Ringback, eventually, running
from tests.probes.servers import listener

SERVICES = "  - {id: here, checks: [icmp://127.0.0.1]}\n"
WAITING = "{prober: tcp, timeout: 20s, tcp: {query_response: [{expect: never}]}}"


def vantage(directory: Path, modules: str) -> Ringback:
    (directory / "modules.yml").write_text(f"modules:\n{modules}")
    return Ringback(directory, SERVICES)


def status(agent: Ringback, query: str) -> int:
    try:
        agent.get(f"/probe?{query}")
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def test_a_reload_takes_the_changed_module_file_and_refuses_a_bad_one(tmp_path: Path) -> None:
    agent = vantage(tmp_path, "  ping: {prober: icmp}\n")
    with running(agent):
        assert "probe_success 1.0" in agent.get("/probe?module=ping&target=127.0.0.1")
        assert status(agent, "module=pong&target=127.0.0.1") == 400

        (tmp_path / "modules.yml").write_text("modules:\n  pong: {prober: icmp}\n")
        assert agent.command("config", "check", str(agent.config)).returncode == 0
        agent.signal(signal.SIGHUP)
        eventually(lambda: status(agent, "module=pong&target=127.0.0.1") == 200)
        assert status(agent, "module=ping&target=127.0.0.1") == 400

        (tmp_path / "modules.yml").write_text("modules:\n  ping: {prober: icmp, timeout: soon}\n")
        checked = agent.command("config", "check", str(agent.config))
        assert checked.returncode == 3
        assert f"{tmp_path / 'modules.yml'}:2: modules.ping.timeout: expected a duration" in checked.stderr
        agent.signal(signal.SIGHUP)
        eventually(lambda: agent.metric("ringback_config_last_reload_successful") == 0)
        assert status(agent, "module=pong&target=127.0.0.1") == 200


def test_a_stop_does_not_wait_for_probes_on_request(tmp_path: Path) -> None:
    """They end as what they are: not asked, by a fault of ours."""
    answers: list[str] = []
    agent = vantage(tmp_path, f"  waiting: {WAITING}\n")
    with listener() as silent, running(agent):
        path = f"/probe?module=waiting&target=127.0.0.1:{silent.getsockname()[1]}"
        client = threading.Thread(target=lambda: answers.append(agent.get(path)))
        client.start()
        silent.settimeout(5)
        connection, _ = silent.accept()
        with connection:
            agent.signal(signal.SIGTERM)
            assert agent.child is not None
            assert agent.child.wait(5) == 0
        client.join(5)
    assert "probe_success 0.0" in answers[0]
    assert "probe_not_asked 1.0" in answers[0]
