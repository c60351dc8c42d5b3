"""Regular expressions that take linear time, whatever a peer sends: RE2, which is Go's syntax, too.

There are no backreferences and no look-around (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

import re2
from pydantic import AfterValidator

_REFERENCE = re.compile(rb"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)


def _compiles(pattern: str) -> str:
    compiled(pattern)
    return pattern


Regex = Annotated[str, AfterValidator(_compiles)]
"""A pattern that RE2 takes; it may match anywhere, unless it has anchors."""


@lru_cache(maxsize=1_024)
def compiled(pattern: str) -> Any:
    """The expression, for UTF-8 in bytes. Raises ValueError that says what is wrong with the pattern."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        why = said.decode(errors="replace") if isinstance(said, bytes) else said
        raise ValueError(f"expected a regular expression (RE2), not {pattern!r}: {why}") from None


def readable(data: bytes) -> bytes:
    """The data with U+FFFD for what is no UTF-8, so that a dot matches it: for Go it does, for RE2 it does not."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def matches(pattern: str, data: bytes) -> bool:
    """Whether the pattern is found anywhere in ``data``, which is UTF-8."""
    return compiled(pattern).search(data) is not None


def expand(template: str, match: Any) -> str:
    """The template with ``$1``, ``${1}``, ``$name`` and ``${name}`` replaced by what the groups of the match found,
    and ``$$`` by one ``$``; a group that does not exist or found nothing is empty (as Go's ``Regexp.Expand``).
    """
    groups = {str(index): found or b"" for index, found in enumerate((match.group(), *match.groups()))}
    groups |= {name: found or b"" for name, found in match.groupdict().items()}

    def replaced(reference: re.Match[bytes]) -> bytes:
        if reference[1]:
            return b"$"
        return groups.get((reference[2] or reference[3]).decode(), b"")

    return _REFERENCE.sub(replaced, template.encode()).decode(errors="replace")
