"""The month as a drawing: a row a day, outages black, exclusions hatched, so that it reads in grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from monitor.claims.language import Language
from monitor.sla.intervals import Interval, clip
from monitor.sla.months import Month, midnight_ms

_LEFT, _TOP, _ROW, _BAR, _WIDTH = 24, 14, 8, 6, 600
_LEAST = 1.0
"""Width in units: what is shorter is drawn as wide, so that it is seen."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What is drawn of a month. Stretches are sorted and do not overlap."""

    measured: Interval
    outages: Sequence[Interval]
    excluded: Sequence[Interval]


def draw(seen: Seen, month: Month, zone: ZoneInfo, language: Language) -> str:
    """As SVG with its legend below; the day on which clocks change is as long as it was."""
    days = _days(month, zone)
    longest = max(to_ms - from_ms for _, (from_ms, to_ms) in days)
    scale = _WIDTH / longest
    parts = [_hours(longest, scale, len(days))]
    for row, (day, window) in enumerate(days):
        parts.append(_day(seen, row, day, window, scale))
    bottom = _TOP + len(days) * _ROW
    parts.append(_legend(bottom + 6, language))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 6} {bottom + 18}"'
        ' font-family="Libertinus Serif, serif" font-size="8">'
        '<defs><pattern id="hatch" width="3" height="3" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect width="3" height="3" fill="#fff"/>'
        '<line x1="0" y1="0" x2="0" y2="3" stroke="#333" stroke-width="1.4"/></pattern></defs>'
        f"{''.join(parts)}</svg>"
    )


def _days(month: Month, zone: ZoneInfo) -> list[tuple[date, Interval]]:
    day, days = date(month.year, month.month, 1), []
    while day.month == month.month:
        after = day + timedelta(days=1)
        days.append((day, (midnight_ms(day, zone), midnight_ms(after, zone))))
        day = after
    return days


def _hours(longest_ms: int, scale: float, days: int) -> str:
    lines = []
    for hour in range(0, longest_ms // _HOUR_MS + 1, 3):
        x = _LEFT + hour * _HOUR_MS * scale
        lines.append(
            f'<text x="{x:.1f}" y="{_TOP - 5}" text-anchor="middle">{hour}</text>'
            f'<line x1="{x:.1f}" y1="{_TOP - 3}" x2="{x:.1f}" y2="{_TOP + days * _ROW}" stroke="#ccc"'
            ' stroke-width="0.5"/>'
        )
    return "".join(lines)


def _day(seen: Seen, row: int, day: date, window: Interval, scale: float) -> str:
    y = _TOP + row * _ROW + (_ROW - _BAR) / 2
    weight = ' font-weight="bold"' if day.weekday() >= 5 else ""
    parts = [f'<text x="{_LEFT - 6}" y="{y + _BAR:.1f}" text-anchor="end"{weight}>{day.day}</text>']
    for stretches, look in (
        ([seen.measured], 'fill="#e8e8e8"'),
        (seen.excluded, 'fill="url(#hatch)" stroke="#333" stroke-width="0.4"'),
        (seen.outages, 'fill="#000"'),
    ):
        for start, end in clip(stretches, window):
            x, width = _LEFT + (start - window[0]) * scale, max(_LEAST, (end - start) * scale)
            parts.append(_bar(x, y, width, look))
    if seen.excluded:
        parts += _over(seen, y, window, scale)
    return "".join(parts)


def _over(seen: Seen, y: float, window: Interval, scale: float) -> list[str]:
    """Where an exclusion takes downtime away, its edge stays visible on the black."""
    return [
        _bar(_LEFT + (start - window[0]) * scale, y + _BAR - 2, max(_LEAST, (end - start) * scale), "", 2)
        for start, end in clip(seen.excluded, window)
    ]


def _bar(x: float, y: float, width: float, look: str, height: float = _BAR) -> str:
    look = look or 'fill="url(#hatch)"'
    return f'<rect x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{height}" {look}/>'


def _legend(y: float, language: Language) -> str:
    parts, x = [], float(_LEFT)
    for word, look in (
        ("drawn measured", 'fill="#e8e8e8"'),
        ("drawn down", 'fill="#000"'),
        ("drawn excluded", 'fill="url(#hatch)" stroke="#333" stroke-width="0.4"'),
    ):
        text = language.word(word)
        parts.append(_bar(x, y, 14, look))
        parts.append(f'<text x="{x + 18:.1f}" y="{y + 6.5:.1f}">{escape(text)}</text>')
        x += 32 + 5 * len(text)
    hours = escape(language.word("drawn hours"))
    parts.append(f'<text x="{_LEFT + _WIDTH}" y="{y + 6.5:.1f}" text-anchor="end">{hours}</text>')
    return "".join(parts)
