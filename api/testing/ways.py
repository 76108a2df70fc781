"""The ways to ask for an element, in the order in which Playwright prefers them, as a call and as a selector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...correlator.selectors.wording import quoted
from ...observer.fingerprint import Fingerprint
from .locators import Step

MAX_TEXT_CHARS = 60
FIELDS = frozenset({"input", "select", "textarea", "meter", "output", "progress"})
NAMED = frozenset(
    {
        "button", "link", "textbox", "searchbox", "spinbutton", "slider", "combobox", "listbox", "checkbox", "radio", "switch",
        "tab", "menuitem", "option", "heading", "img", "dialog", "cell", "columnheader",
    }
)  # fmt: skip


class Way(NamedTuple):
    """`selector` is what stands for the call where only a text can; there is none for labels."""

    step: Step
    selector: str = ""

    @property
    def is_css(self) -> bool:
        return bool(self.selector) and not self.selector.startswith(("role=", "text="))


def ways(element: Fingerprint, *, says_its_text: bool = False) -> Iterator[Way]:
    """Those that it has; whether each finds it alone only the page can tell. `says_its_text`: what it reads is what is tested."""
    yield from _by_test_id(element)
    name = "" if says_its_text and _reads(element, element.name) else _lasting(element.name)
    if element.role in NAMED and name and not element.hidden:
        yield from _by_name("get_by_role", (element.role,), name, f"role={element.role}[name={quoted(name)}")
    if element.tag in FIELDS and name:
        yield from _exactly_or_not("get_by_label", name)
    if placeholder := _lasting(element.placeholder):
        yield from _exactly_or_not("get_by_placeholder", placeholder, f"[placeholder={quoted(placeholder)}")
    if alt := _lasting(element.alt):
        yield from _exactly_or_not("get_by_alt_text", alt, f"[alt={quoted(alt)}")
    text = _lasting(element.text)
    if text and not says_its_text and len(text) < 40:  # what is longer was cut
        yield from _exactly_or_not("get_by_text", text, f"text={quoted(text)}")
    if title := _lasting(element.title):
        yield from _exactly_or_not("get_by_title", title, f"[title={quoted(title)}")
    yield from _by_css(element)


def _by_test_id(element: Fingerprint) -> Iterator[Way]:
    attribute, _, value = element.test.partition("=")
    if value:
        css = f"[{attribute}={quoted(value)}]"
        is_own = attribute == "data-testid"
        yield Way(Step("get_by_test_id", (value,)) if is_own else Step("locator", (css,)), css)


def _by_css(element: Fingerprint) -> Iterator[Way]:
    css = [f"#{element.id}"] if "id" in element.unique else []
    if element.field:
        css.append(f"{element.tag}[name={quoted(element.field)}]")
    css += [f".{name}" for name in element.classes]
    for each in css:
        yield Way(Step("locator", (each,)), each)
    if element.role and not element.hidden:
        yield Way(Step("get_by_role", (element.role,)), f"role={element.role}")
    if element.css and element.css not in css:
        yield Way(Step("locator", (element.css,)), element.css)


def _by_name(method: str, args: tuple[str, ...], name: str, selector: str) -> Iterator[Way]:
    yield Way(Step(method, args, (("name", name),)), f"{selector} i]")
    yield Way(Step(method, args, (("exact", True), ("name", name))), f"{selector}]")


def _exactly_or_not(method: str, text: str, selector: str = "") -> Iterator[Way]:
    is_css = selector.startswith("[")
    yield Way(Step(method, (text,)), f"{selector} i]" if is_css else "")
    yield Way(Step(method, (text,), (("exact", True),)), f"{selector}]" if is_css else selector)


def _lasting(text: str) -> str:
    """A number in it counts something, and will be another one."""
    return text if len(text) <= MAX_TEXT_CHARS and not any(char.isdigit() for char in text) else ""


def _reads(element: Fingerprint, name: str) -> bool:
    return bool(element.text) and element.text in name
