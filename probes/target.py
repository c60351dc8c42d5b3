"""Reading the URLs by which targets are named."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def split(text: str, example: str) -> SplitResult:
    """The parts of a target URL with a host and no credentials. Raises ValueError that shows ``example``."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 (raises for a port that is none)
    except ValueError as error:
        raise ValueError(f"expected a target such as {example}, not {text!r}: {error}") from None
    if not parts.hostname or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError(f"expected a target such as {example}, not {text!r}")
    if "@" in parts.netloc:
        raise ValueError(f"expected a target without credentials, such as {example}")
    return parts
