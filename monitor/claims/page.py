"""A document as a page of HTML that stands alone: no script, nothing fetched, made for print."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

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
    return environment.get_template("document.html").render(document=document).encode()
