"""Selenium's errors: the class says what happened, the message which element and what was in the way."""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

from .failure import Failure, FailureKind

KINDS: Final[dict[str, FailureKind]] = {
    "NoSuchElementException": "selector_missing",
    "NoSuchShadowRootException": "selector_missing",
    "ElementClickInterceptedException": "selector_blocked",
    "ElementNotInteractableException": "selector_blocked",
    "ElementNotVisibleException": "selector_blocked",
    "InvalidElementStateException": "selector_blocked",
    "StaleElementReferenceException": "selector_stale",
    "InvalidSelectorException": "selector_invalid",
    "JavascriptException": "script_error",
    "NoSuchWindowException": "page_closed",
    "InvalidSessionIdException": "page_closed",
    "TimeoutException": "timeout",
}
LOCATED: Final = re.compile(r"(?:locate element|element): (\{.*?\})\s*(?:$|\n|\()", re.MULTILINE)
ELEMENT: Final = re.compile(r"[Ee]lement (<.+?>.*?) is not (?:clickable|reachable)")
OVERLAY: Final = re.compile(r"Other element would receive the click: (<.+>)")
NET: Final = re.compile(r"net::\w+")
CSS_ID: Final = re.compile(r'\[id="([\w-]+)"\]')


def read(message: str, classes: list[str]) -> Failure | None:
    """None if it is none of Selenium's."""
    if not any(name.startswith("selenium.") for name in classes):
        return None
    name = classes[0].rpartition(".")[2]
    head = _headline(message)
    net, overlay, element = NET.search(head), OVERLAY.search(message), ELEMENT.search(message)
    known: list[FailureKind] = [KINDS[name] for name in _names(classes) if name in KINDS]
    kind: FailureKind = known[0] if known else "other"
    if net:
        kind = "navigation_failed"
    elif "crashed" in head:
        kind = "page_crashed"
    return Failure(
        kind=kind,
        headline=f"{name}: {head}" if head else name,
        locator=_locator(message),
        resolved=element[1] if element else "",
        overlay=overlay[1] if overlay else "",
        reason=net[0] if net else "covered" if overlay else head if kind == "selector_blocked" else "",
        matches=0 if kind == "selector_missing" else -1,
    )


def _names(classes: list[str]) -> list[str]:
    return [name.rpartition(".")[2] for name in classes]


def _headline(message: str) -> str:
    first = message.strip().removeprefix("Message:").strip().partition("\n")[0]
    return first.partition(" (Session info:")[0].strip()


def _locator(message: str) -> str:
    """As a CSS selector, or as `xpath=…`: what Playwright, and our own watch, would be given."""
    told = LOCATED.search(message)
    if told is None:
        return ""
    try:
        named: Any = json.loads(told[1])
    except ValueError:
        return ""
    if not isinstance(named, dict):
        return ""
    fields = cast("dict[str, Any]", named)
    method, selector = str(fields.get("method", "")), str(fields.get("selector", ""))
    if method == "xpath":
        return f"xpath={selector}"
    return CSS_ID.sub(r"#\1", selector) if method == "css selector" else f"{method}={selector}"
