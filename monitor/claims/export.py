"""A pack in the form that is asked for."""

from __future__ import annotations

from monitor.claims.forms import Form
from monitor.claims.pack import Pack, canonical


def export(pack: Pack, form: Form, code: str) -> bytes:
    """``code``: the language. JSON and CSV are for programs, and the same in all languages."""
    if form == "json":
        return canonical(pack)
    if form == "csv":
        from monitor.claims.sheet import sheet  # noqa: PLC0415 - each form loads what it needs alone

        return sheet(pack)
    from monitor.claims.claim_document import ATTACHMENT, claim_document  # noqa: PLC0415
    from monitor.claims.language import Language  # noqa: PLC0415

    document = claim_document(pack, Language(code))
    if form == "html":
        from monitor.claims.page import page  # noqa: PLC0415

        return page(document)
    if form == "text":
        from monitor.claims.form_text import form_text  # noqa: PLC0415

        return form_text(document)
    from monitor.claims.paper import paper  # noqa: PLC0415

    return paper(document, (ATTACHMENT, canonical(pack)))
