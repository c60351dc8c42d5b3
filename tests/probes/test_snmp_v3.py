"""SNMP version 3 against a real agent: users, keys, engines that change, answers that are not theirs."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.outcome import Outcome, Verdict
from probes.snmp import SnmpOptions, SnmpProber
from tests.peers import peer
from tests.probes.snmp_agent import Relay, serving, silent_port
from tests.probes.snmp_peers import AUTH_PASSWORD, PRIV_PASSWORD, credentials, probe, snmpd

USER = "sha256-aes128"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with snmpd(tmp_path_factory.mktemp("snmpd")) as port:
        yield port


@pytest.mark.parametrize(
    "user",
    [
        "nobody",
        "md5",
        "sha",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha-des",
        "md5-aes128",
        "sha256-aes128",
        "md5-aes192",
        "sha512-aes192",
        "sha-aes256",
        "sha384-aes256",
    ],
)
def test_an_agent_answers_at_each_level_with_each_hash_and_cipher(
    agent: int, tmp_path: Path, user: str
) -> None:
    outcome = probe(agent, "sysName", expect="lab-router", **credentials(tmp_path, user))
    assert (outcome.verdict, outcome.reason) == (Verdict.GOOD, "answered")
    assert outcome.round_trip_s is not None
    assert 0 < outcome.round_trip_s < 0.1


def test_it_agrees_with_another_implementation(agent: int, tmp_path: Path) -> None:
    level = ["-v3", "-l", "authPriv", "-u", USER, "-a", "SHA-256", "-A", AUTH_PASSWORD]
    argv = [peer("snmpget"), *level, "-x", "AES", "-X", PRIV_PASSWORD, "-Oqv", f"127.0.0.1:{agent}"]
    said = subprocess.run([*argv, "1.3.6.1.2.1.1.1.0"], capture_output=True, text=True, check=True)
    outcome = probe(agent, "sysDescr", **credentials(tmp_path, USER))
    assert outcome.detail["value"] == said.stdout.strip().strip('"')


def test_tables_are_read_and_missing_objects_are_bad(agent: int, tmp_path: Path) -> None:
    options = credentials(tmp_path, USER)
    assert probe(agent, "ifOperStatus/lo", **options).reason == "up"
    missing = probe(agent, "1.3.6.1.2.1.1.5.7", **options)
    assert (missing.verdict, missing.reason) == (Verdict.BAD, "noSuchInstance")


@pytest.mark.parametrize(
    ("wrong", "reason", "said"),
    [
        ({"auth_password_file": "other"}, "wrong key", "usmStatsWrongDigests"),
        ({"auth": "sha512"}, "wrong key", "usmStatsWrongDigests"),
        ({"user": "stranger"}, "unknown user", "usmStatsUnknownUserNames"),
        ({"user": "sha256"}, "security level not supported", "usmStatsUnsupportedSecLevels"),
        ({"priv": None, "priv_password_file": None}, "not allowed to read", "authorizationError"),
    ],
)
def test_what_we_ask_with_is_our_configuration_and_no_outage(
    agent: int, tmp_path: Path, wrong: dict[str, object], reason: str, said: str
) -> None:
    (tmp_path / "other").write_text("not-the-password")
    if "auth_password_file" in wrong:
        wrong = {"auth_password_file": str(tmp_path / "other")}
    outcome = probe(agent, **{**credentials(tmp_path, USER), **wrong})
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, reason)
    assert outcome.detail["agent_says"] == said, "it is reachable"


def test_a_wrong_privacy_key_is_told_from_an_agent_that_is_silent_to_all(agent: int, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("not-the-password")
    options = {**credentials(tmp_path, USER), "priv_password_file": str(tmp_path / "other")}
    outcome = probe(agent, timeout="150ms", **options)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "answers discovery only")
    with silent_port() as port:
        outcome = probe(port, timeout="150ms", **options)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "timeout")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "auth password file not readable"),
        ("", "auth password file is empty"),
        ("short", "auth password has less than 8 characters"),
    ],
)
def test_a_password_that_cannot_be_used_is_our_fault(
    agent: int, tmp_path: Path, content: str | None, reason: str
) -> None:
    options = credentials(tmp_path, USER)
    (tmp_path / "auth").unlink()
    if content is not None:
        (tmp_path / "auth").write_text(content)
    outcome = probe(agent, **options)
    assert (outcome.verdict, outcome.reason) == (Verdict.NOT_ASKED, reason)


def test_a_cipher_that_this_host_lacks_is_our_fault(agent: int, tmp_path: Path) -> None:
    """As where an old ``cryptography`` is installed: pysnmp can be imported, and has no cipher."""
    script = """
import sys
sys.modules["cryptography.hazmat.decrepit"] = None
from tests.probes.snmp_peers import probe
outcome = probe(int(sys.argv[1]), **eval(sys.argv[2]))
print(outcome.verdict.name, outcome.reason)
"""
    for user, priv in (("sha256-aes128", "AES 128"), ("sha-des", "DES"), ("sha-aes256", "AES 256")):
        argv = [sys.executable, "-c", script, str(agent), repr(credentials(tmp_path, user))]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"NOT_ASKED cipher not available: {priv}: ")


class Lab:
    """One prober, and an agent that can be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._prober = SnmpProber()
        self._port = 0
        self._options = SnmpOptions.model_validate({**credentials(folder, USER), "timeout": "500ms"})

    async def start(self, folder: str, engine_id: str = "ringback-one") -> None:
        await asyncio.to_thread(self._stack.close)
        daemon = snmpd(self._folder / folder, self._port, engine_id)
        self._port = await asyncio.to_thread(self._stack.enter_context, daemon)

    async def probe(self) -> Outcome:
        return await self._prober.probe(SnmpProber.parse(f"snmp://127.0.0.1:{self._port}/"), self._options)

    async def close(self) -> None:
        await asyncio.to_thread(self._stack.close)
        await self._prober.close()


def in_lab(folder: Path, scenario: Callable[[Lab], object]) -> None:
    async def run() -> None:
        lab = Lab(folder)
        try:
            await scenario(lab)  # type: ignore[misc]
        finally:
            await lab.close()

    asyncio.run(run())


def test_an_agent_that_restarted_with_a_new_engine_is_discovered_anew(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        await lab.start("one", "ringback-one")
        assert (await lab.probe()).verdict is Verdict.GOOD
        await lab.start("two", "ringback-two")
        again = await lab.probe()
        assert (again.verdict, again.reason) == (Verdict.GOOD, "answered")

    in_lab(tmp_path, scenario)


def test_an_agent_that_restarted_is_asked_again_with_its_new_time(tmp_path: Path) -> None:
    async def scenario(lab: Lab) -> None:
        await lab.start("one")
        assert (await lab.probe()).verdict is Verdict.GOOD
        await lab.start("one")
        again = await lab.probe()
        assert (again.verdict, again.reason) == (Verdict.GOOD, "answered")
        await lab.start("other with less boots")
        again = await lab.probe()
        assert (again.verdict, again.reason) == (Verdict.GOOD, "answered")

    in_lab(tmp_path, scenario)


def relayed(port: int, folder: Path, tamper: Callable[[bytes], list[bytes]], user: str = USER) -> Outcome:
    async def scenario() -> Outcome:
        prober = SnmpProber()
        options = SnmpOptions.model_validate({**credentials(folder, user), "timeout": "150ms"})
        async with serving(Relay(port, tamper)) as relay:
            outcome = await prober.probe(SnmpProber.parse(f"snmp://127.0.0.1:{relay}/"), options)
        await prober.close()
        return outcome

    return asyncio.run(scenario())


def flipped(answer: bytes, at: int = -1) -> bytes:
    changed = bytearray(answer)
    changed[at] ^= 1
    return bytes(changed)


def is_for(answer: bytes, user: str) -> bool:
    """Not of the discovery, which is nobody's."""
    return user.encode() in answer


@pytest.mark.parametrize("user", ["sha256", USER])
def test_an_answer_with_a_wrong_digest_is_none_of_the_agents(agent: int, tmp_path: Path, user: str) -> None:
    def forge(answer: bytes) -> list[bytes]:
        return [flipped(answer)] if is_for(answer, user) else [answer]

    outcome = relayed(agent, tmp_path, forge, user)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "answer not authentic")


def test_the_agents_answer_is_found_after_a_forged_one(agent: int, tmp_path: Path) -> None:
    def forge(answer: bytes) -> list[bytes]:
        return [flipped(answer), answer] if is_for(answer, USER) else [answer]

    assert relayed(agent, tmp_path, forge).verdict is Verdict.GOOD


def test_an_agent_that_never_knows_its_engine_is_bad(agent: int, tmp_path: Path) -> None:
    discovered: list[bytes] = []

    def forgetful(answer: bytes) -> list[bytes]:
        """To each question the answer to the discovery, under the number that was asked with."""
        if is_for(answer, USER):
            number = answer[answer.index(b"\x02\x04") + 2 :][:4]
            known = discovered[0]
            at = known.index(b"\x02\x04") + 2
            return [known[:at] + number + known[at + 4 :]]
        discovered.append(answer)
        return [answer]

    outcome = relayed(agent, tmp_path, forgetful)
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "unknown engine")


@pytest.mark.parametrize(
    "options",
    [
        {"user": "u"},
        {"version": 3},
        {"version": 3, "user": "u", "auth": "sha256"},
        {"version": 3, "user": "u", "priv": "aes128", "priv_password_file": "f"},
        {"version": 3, "user": "u", "auth": "sha257", "auth_password_file": "f"},
        {"version": 3, "user": "u", "community_file": "f"},
        {"version": 3, "user": ""},
        {"version": 2},
    ],
)
def test_credentials_that_do_not_fit_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SnmpOptions.model_validate(options)
