"""What an agent writes is sealed: when it starts, when it freezes, when the ledger is changed, and when it stops."""

from __future__ import annotations

import signal
from pathlib import Path

from monitor.store.signing_key import private_path
from tests.agent.real import Ringback, eventually, running
from tests.agent.test_freezing import count_of, lives_that_ended, services


def test_what_an_agent_records_and_freezes_is_sealed_and_follows_from_the_facts(tmp_path: Path) -> None:
    agent = Ringback(tmp_path, services(2))
    lives_that_ended(agent.database, 2)
    with running(agent):
        eventually(lambda: count_of(agent, "months") == 4)
        sealed = "SELECT max(last) AS last FROM seal_blocks WHERE name = 'months'"
        eventually(lambda: agent.rows(sealed)[0]["last"] == 4)
        verdict = agent.json("verify")
        assert verdict["fits"]
        assert verdict["derived"] == {"services": 2, "months": 4, "amounts": 4, "not_computed_again": 0}
        agent.kill()
        agent.start()
        assert agent.child is not None
        agent.signal(signal.SIGTERM)
        assert agent.child.wait(30) == 0
        verdict = agent.json("verify")
        assert verdict["fits"]
        assert verdict["unsealed_records"] == 0
        agent.start()


def test_an_agent_without_a_key_that_it_can_use_watches_on_and_says_so(tmp_path: Path) -> None:
    agent = Ringback(tmp_path, services(1))
    lives_that_ended(agent.database, 1)
    private_path(agent.database.parent).write_text("no key")
    with running(agent):
        assert "facts are not sealed" in agent.log.read_text()
        eventually(lambda: count_of(agent, "months") == 2)
        assert count_of(agent, "seals") == 0
        assert agent.json("verify")["unsealed_records"] > 0
