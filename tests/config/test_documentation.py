"""What docs/configuration.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.config import load
from probes.prober import prober_for

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
EXAMPLE = re.compile(r"(?:<!-- file: (\S+) -->\n)?```yaml\n(.*?)```", re.DOTALL)


def test_every_example_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    examples = EXAMPLE.findall(PAGE.read_text())
    for name, text in examples:
        path = tmp_path / (name or "ringback.yml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        if not name:
            assert load(path).services
    assert len(examples) >= 5


def test_every_prober_has_the_keys_that_the_page_says_and_no_others() -> None:
    told: dict[str, set[str]] = {}
    scheme = ""
    for line in PAGE.read_text().partition("#### Keys of the probers")[2].splitlines():
        if line.startswith("#"):
            break
        if match := re.match(r"\| \*\*`(\w+):", line):
            scheme = match[1]
            told[scheme] = {"timeout"}
        elif match := re.match(r"\| `(\w+)`", line):
            told[scheme].add(match[1])
    assert told
    assert told == {scheme: set(prober_for(f"{scheme}:").options.model_fields) for scheme in told}
