"""What can be wrong with a source."""

from __future__ import annotations


class SourceError(Exception):
    """The source cannot be read, or says something that has no meaning here; what was expected."""
