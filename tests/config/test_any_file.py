"""Whatever a file holds, reading it gives a configuration or its mistakes, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.config.loading import load
from monitor.config.mistakes import ConfigurationErrors
from monitor.config.values import Configuration

FRAGMENTS = [
    "agent", "plans", "defaults", "services", "id", "checks", "changes", "from", "plan", "overrides", "credit",
    "up_when", "target", "interval", "timeout", "listen", "timezone", "monthly_fee", "contract_from", "name",
    "provider", "guarantee", "fault_hours", "reference_targets", "mon-fri", "headers", "status",
    ": ", ":\n", "\n", "\n  ", "\n- ", "\n  - ", "\n\t", "- ", "{", "}", "[", "]", ", ", '"', "'", "&a ", "*a ",
    "!t ", "? ", "| ", "> ", "# ", "---\n", "...\n", "<<: ", "@", "%", "~", "\0", "\ufeff", "é",
    "22:00", "07:30-18:00", "2026-07-01", "2026-07-15", "9999-12-31", "0001-01-01", "100.00 EUR", "99.90 %", "5s",
    "all", "any", "none", "-1", "99999999999999999999", "1e999", "example.yml", "example/gold", "/", "\\", "..",
    "Europe/Luxembourg", "Europe", "127.0.0.1:9877", "tcp://192.0.2.1:80", "http://[", "tcp://[::1]:99999",
]  # fmt: skip

texts = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
words = st.sampled_from(FRAGMENTS) | st.text(max_size=8)
trees = st.recursive(
    words.map(repr),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(words.map(repr), inner, max_size=5).map(
            lambda items: f"{{{', '.join(f'{key}: {value}' for key, value in items.items())}}}"
        )
    ),
    max_leaves=20,
)


def read(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "ringback.yml")
        path.write_bytes(data)
        Path(directory, "example.yml").write_bytes(data)
        found: Configuration | ConfigurationErrors
        try:
            found = load(path)
        except ConfigurationErrors as error:
            found = error
    assert isinstance(found, Configuration) or str(found)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    read(data)


@given(texts)
@example('agent: {state_dir: "\\0", name: "\\ud800"}')
@example('plans: ["\\0", "' + "x" * 5000 + '"]')
@example("services: [{id: a, contract_from: 9999-12-31, contract_to: 0001-01-01}]")
@example("services: [{id: a, contract_from: 0001-01-01, timezone: Asia/Tokyo}]")
@example("services: [{id: a, monthly_fee: 999999999999.9999 EUR}]")
@example("services: [{id: a, up_when: 99999999999999999999}]")
@example("defaults: {fall: 99999999999999999999, interval: 999999999h}")
def test_any_text_of_the_words_that_files_are_made_of(text: str) -> None:
    read(text.encode())


@given(trees | st.lists(trees, min_size=4, max_size=4).map(lambda t: (
    f"agent: {t[0]}\ndefaults: {t[1]}\nplans: [example.yml, {t[2]}]\nservices: {t[3]}\nprovider: x\nname: x\n"
)))  # fmt: skip
def test_any_well_formed_tree(text: str) -> None:
    read(text.encode(errors="replace"))


@given(trees)
def test_any_service(tree: str) -> None:
    read(
        f"plans: [example.yml]\nservices: [{tree}, {{id: a, plan: {tree}, checks: [{tree}]}}]".encode(
            errors="replace"
        )
    )
