"""What a document brings along: its resources, its frames, its own scripts while it loads."""

from __future__ import annotations

from collections.abc import Iterator

from ..flow import Flow
from ..nodes import Document, Effect, Link
from .rule import Rule

SURE = 0.9
BY_DOCUMENT = {"parser": 0.9, "preload": 0.9, "other": 0.6, "": 0.6}


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind == "navigation":
        yield from of_parent(effect, flow)
        return
    document = flow.document(effect.signal)
    if document is None or effect.kind not in {"request", "error"}:
        return
    if effect.kind == "request" and effect.text != "script":
        confidence = BY_DOCUMENT.get(effect.text, 0.6)
        # What comes later is rarely the document's own.
        late = document.is_loaded and confidence < SURE
        yield Link(document, RULE.via, 0.4 if late else confidence)
    elif not flow.page(effect.signal).actions:
        loading = effect.kind == "request" and not document.is_loaded
        yield Link(document, RULE.via, 0.8 if loading else 0.55)


def of_parent(effect: Effect, flow: Flow) -> Iterator[Link]:
    """A frame comes with the page that holds it, and the first document of a page with its opening."""
    signal, page = effect.signal, flow.page(effect.signal)
    main = flow.contexts.documents.get((signal.browser, signal.target))
    if isinstance(effect.node, Document) and signal.frame not in {"", signal.target} and main is not None:
        yield Link(main, RULE.via, 0.85)
    elif main in (None, effect.node) and page.opened is not None and page.opened.links:
        yield Link(page.opened, RULE.via, 0.9)


RULE = Rule("page", "it belongs to the page that was loaded", find)
