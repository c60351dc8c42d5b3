"""A document as PDF/A-3 by typst, with its data attached: the same document is the same bytes, everywhere.

Only typst's own fonts are used. Characters that they lack are written as their number, such as [U+65E5];
the attached data has them as they are.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import typst

from monitor.claims.document import Document

_COVERED = (
    "\\u0020-\\u007e\\u00a0-\\u00ac\\u00ae-\\u0377\\u038e-\\u03a1\\u03a3-\\u0484\\u048a-\\u04ff\\u1e00-\\u1f15"
    "\\u2010-\\u2027\\u202f-\\u2040\\u20a0-\\u20bf\\u2100-\\u211e\\u2190-\\u22ff"
)
"""What the text font has; without those that turn the direction of writing."""

_LACKING = re.compile(f"[^{_COVERED}]")


def paper(document: Document, attachment: tuple[str, bytes] | None = None) -> bytes:
    """``attachment``: the name and content of the JSON to attach."""
    inputs = {"view": json.dumps(_view(document, attachment))}
    if attachment is not None:
        inputs["data"] = attachment[1].decode()
    compiler = typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False))
    source = files("monitor.claims").joinpath("templates/document.typ").read_bytes()
    made = compiler.compile(input=source, format="pdf", sys_inputs=inputs, pdf_standards="a-3b")
    assert isinstance(made, bytes)
    return made


def _view(document: Document, attachment: tuple[str, bytes] | None) -> dict[str, Any]:
    view: dict[str, Any] = _printable(asdict(document))
    at = datetime.fromisoformat(document.dated).astimezone(UTC)
    view["dated"] = [at.year, at.month, at.day, at.hour, at.minute, at.second]
    if attachment is not None:
        view["attachment"] = attachment[0]
    return view


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return _LACKING.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(one) for one in value]
    return value
