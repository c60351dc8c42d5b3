"""The detail of an outcome for people: keys aligned, mappings of one form as tables, the certificate apart.

What stands in it comes from the network. A control character in it is shown, never sent to the terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeGuard

from rich.text import Text

from monitor.cli.output import printable
from probes.outcome import Verdict

STYLES = {
    Verdict.GOOD: "bold green",
    Verdict.DEGRADED: "bold yellow",
    Verdict.BAD: "bold red",
    Verdict.NOT_ASKED: "bold magenta",
}

EXPIRES_SOON_DAYS = 14
"""From so many days before its end on, the end of a certificate is coloured."""

_LONGEST = 100
"""Characters of a list that is shown in one line."""

_KEY = "cyan"
_STYLE_OF_WORD = {verdict.word: style for verdict, style in STYLES.items()}
_CERTIFICATE = {
    "certificate_subject": "subject",
    "certificate_issuer": "issuer",
    "certificate_names": "names",
    "certificate_expires": "expires",
    "chain_expires": "chain expires",
    "certificate_sha256": "SHA-256",
}


def detail_lines(detail: Mapping[str, object], indent: int = 2) -> Iterator[Text]:
    """A line a key, and those of its value below it where they do not fit beside it."""
    width = max(map(len, detail), default=0)
    for key, value in detail.items():
        name = printable(key)
        label = Text(" " * indent).append(name, _KEY)
        if isinstance(value, Mapping) and value:
            yield label
            if all(isinstance(one, Mapping) for one in value.values()):
                yield from _table([{"": name, **row} for name, row in value.items()], indent + 2)
                continue
            yield from detail_lines(value, indent + 2)
        elif _is_table(value):
            yield label
            yield from _table(value, indent + 2)
        else:
            first, *more = _cells(value)
            label.append(" " * (width - len(name) + 2))
            yield label.append(first, _STYLE_OF_WORD.get(first, "") if key == "verdict" else "")
            yield from (Text(" " * (indent + width + 2) + line) for line in more)


def certificate_lines(detail: Mapping[str, object], now: datetime) -> Iterator[Text]:
    """The certificate as a block of its own; nothing where the detail holds none."""
    shown = {title: detail[key] for key, title in _CERTIFICATE.items() if key in detail}
    if not shown:
        return
    yield Text("  certificate", "bold")
    for title, value in shown.items():
        first, *more = _cells(value)
        line = Text("    ").append(f"{title:<13}", _KEY).append("  ").append(first)
        if title.endswith("expires"):
            line.append(*_time_left(first, now))
        yield line
        yield from (Text(" " * 19 + text) for text in more)


def without_certificate(detail: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in detail.items() if key not in _CERTIFICATE}


def _time_left(expires: str, now: datetime) -> tuple[str, str]:
    """Words and their style."""
    try:
        days = (datetime.fromisoformat(expires) - now).days
    except (ValueError, TypeError):  # no instant, or one without an offset
        return "", ""
    if days < 0:
        return f" (expired {_days(-days)} ago)", "bold red"
    return f" (in {_days(days)})", "bold yellow" if days < EXPIRES_SOON_DAYS else "green"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _cells(value: object) -> list[str]:
    """The lines of a value that is no table."""
    if isinstance(value, list | tuple):
        parts = [_cell(one) for one in value]
        joined = ", ".join(parts)
        return [joined or "none"] if len(joined) <= _LONGEST else parts
    return _cell(value).splitlines() or [""]


def _cell(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping | list | tuple):
        return printable(json.dumps(value, ensure_ascii=False, default=str))
    return printable(str(value))


def _is_table(value: object) -> TypeGuard[Sequence[Mapping[str, object]]]:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _table(rows: Sequence[Mapping[str, object]], indent: int) -> Iterator[Text]:
    """A line for each mapping, a column for each of their keys."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_table_cell(row.get(key)) for key in keys] for row in rows]
    widths = [max(len(key), *(len(line[n]) for line in cells)) for n, key in enumerate(keys)]
    right = [all(_is_number_or_none(row.get(key)) for row in rows) for key in keys]
    yield _row([printable(key) for key in keys], widths, right, indent, [_KEY] * len(keys))
    for line in cells:
        styles = [
            _STYLE_OF_WORD.get(cell, "") if key == "verdict" else ""
            for key, cell in zip(keys, line, strict=True)
        ]
        yield _row(line, widths, right, indent, styles)


def _row(
    cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], indent: int, styles: Sequence[str]
) -> Text:
    row = Text(" " * indent)
    for cell, width, to_the_right, style in zip(cells, widths, right, styles, strict=True):
        row.append(f"{cell:>{width}}" if to_the_right else f"{cell:<{width}}", style).append("  ")
    row.rstrip()
    return row


def _table_cell(value: object) -> str:
    return "" if value is None else " ".join(_cell(value).split("\n"))


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
