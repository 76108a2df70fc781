"""How to ask for an element so that a page gives that one and no other, in the order in which Playwright prefers ways to ask."""

from __future__ import annotations

from ...observer.fingerprint import Fingerprint

MAX_CHARS = 120


def selector_of(element: Fingerprint) -> str:
    """A selector for `page.locator()`; the page has told by which features it finds nothing else."""
    for feature, selector in ways(element):
        if feature in element.unique and len(selector) <= MAX_CHARS:
            return selector
    return element.css


def ways(element: Fingerprint) -> tuple[tuple[str, str], ...]:
    tag, role = element.tag, element.role
    test, _, value = element.test.partition("=")
    return (
        ("test", f"[{test}={quoted(value)}]"),
        ("role", f"role={role}[name={quoted(element.name)}]"),
        ("placeholder", f"{tag}[placeholder={quoted(element.placeholder)}]"),
        ("alt", f"{tag}[alt={quoted(element.alt)}]"),
        ("text", f"text={quoted(element.text)}"),
        ("title", f"{tag}[title={quoted(element.title)}]"),
        ("id", f"#{element.id}"),
        ("field", f"{tag}[name={quoted(element.field)}]"),
        ("only", f"role={role}"),
        ("tag", tag),
    )


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def called(element: Fingerprint) -> str:
    """A few words for a person: `button "Pay now"`."""
    what = element.role or element.tag
    name = element.name or element.text
    if name:
        return f"{what} {quoted(name[:40])}"
    mark = element.test or (f"#{element.id}" if element.id else "") or element.field or element.placeholder
    return f"{what} {mark}".strip()
