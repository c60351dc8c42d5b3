"""A document as a page of HTML that stands alone: no script, nothing fetched, made for print."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitor.claims.document import Document


def page(document: Document) -> bytes:
    environment = Environment(
        loader=PackageLoader("monitor.claims"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return (
        environment.get_template("document.html").render(document=document, footer=_footer(document)).encode()
    )


def _footer(document: Document) -> dict[str, Markup]:
    """What stands below each page in print, as values of CSS."""
    numbered = _quoted(document.page)
    for name in ("page", "pages"):
        numbered = numbered.replace(f"{{{name}}}", f'" counter({name}) "')
    return {"title": Markup(_quoted(document.title)), "page": Markup(numbered)}  # noqa: S704 - words of ours


def _quoted(words: str) -> str:
    """A string of CSS, of words that have neither quotes nor backslashes nor angle brackets."""
    return f'"{words}"'
