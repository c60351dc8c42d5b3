"""What docs/configuration.md says is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from monitor.config.loading import load
from probes.prober import Prober, probers

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


@pytest.mark.parametrize("prober", sorted(set(probers().values()), key=lambda kind: kind.schemes), ids=str)
class TestReferencePage:
    def test_it_has_every_key_of_the_prober_and_no_other(self, prober: type[Prober[Any, Any]]) -> None:
        told = re.findall(r"^\| `(\w+)`", _table_of_keys(_page(prober)), re.MULTILINE)
        keys = {field.alias or name for name, field in prober.options.model_fields.items()}
        assert sorted(told) == sorted(keys - {"timeout"})

    def test_its_examples_can_be_loaded(self, prober: type[Prober[Any, Any]], tmp_path: Path) -> None:
        examples = EXAMPLE.findall(_page(prober))
        for _, text in examples:
            path = tmp_path / "ringback.yml"
            path.write_text(text)
            assert load(path).services
        assert examples


def test_the_page_names_every_prober_and_its_reference() -> None:
    text = PAGE.read_text()
    for prober in probers().values():
        assert f"(probes/{prober.schemes[0]}.md)" in text
        assert all(f"`{scheme}:" in text or scheme in ("icmp4", "icmp6") for scheme in prober.schemes)


def _page(prober: type[Prober[Any, Any]]) -> str:
    return (PAGE.parent / "probes" / f"{prober.schemes[0]}.md").read_text()


def _table_of_keys(page: str) -> str:
    """From the head of the first table with the column "key" to the end of that table."""
    return page.partition("| key |")[2].partition("\n\n")[0]
