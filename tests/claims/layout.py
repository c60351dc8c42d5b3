"""Where the words of a PDF stand."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from tests.peers import peer

MILLIMETRE = 72 / 25.4
_WORD = re.compile(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """In points from the left upper corner."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


def laid_out(pdf: bytes, directory: Path) -> list[list[Word]]:
    """Of each page its words."""
    file = directory / "laid-out.pdf"
    file.write_bytes(pdf)
    told = subprocess.run([peer("pdftotext"), "-bbox", file, "-"], capture_output=True, check=True).stdout
    return [
        [Word(*map(float, box), unescape(text)) for *box, text in _WORD.findall(page)]
        for page in told.decode().split("<page ")[1:]
    ]


def check_fits(pages: Sequence[Sequence[Word]]) -> None:
    """No word is in the margins or over another one."""
    for words in pages:
        for one in words:
            assert 17.9 * MILLIMETRE <= one.left <= one.right <= (210 - 17.9) * MILLIMETRE, one
            assert 0 < one.top < one.bottom < 297 * MILLIMETRE, one
        *body, footer = sorted({round(one.bottom) for one in words})
        assert not body or body[-1] <= footer - 12, "text stands on the footer"
        _check_apart(sorted(words, key=lambda one: one.top))


def _check_apart(words: Sequence[Word]) -> None:
    """Sorted by top. Lines that stand close may touch."""
    for number, one in enumerate(words):
        for other in words[number + 1 :]:
            if other.top >= one.bottom - 4:
                break
            across = min(one.right, other.right) - max(one.left, other.left)
            along = min(one.bottom, other.bottom) - other.top
            assert across <= 1 or along <= 4, (one, other)


def said(words: Sequence[Word]) -> str:
    """All of a page, without the characters at which words may be broken."""
    return " ".join(one.text for one in words).replace("\u200b", "")
