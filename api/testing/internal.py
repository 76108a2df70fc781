"""Playwright's own spelling of a locator, as its client knows it, in the words of its messages."""

from __future__ import annotations

import json
import re
from typing import Final

from .locators import CHAINED, VISIBLE, Step, Value, written

STRING: Final = r'(?P<text>"(?:[^"\\]|\\.)*")(?P<flag>[is]?)'
BY_TEXT: Final = re.compile(rf"internal:(?P<engine>text|label|has-text|has-not-text)={STRING}")
BY_ATTRIBUTE: Final = re.compile(rf"internal:attr=\[(?P<engine>placeholder|alt|title)={STRING}\]")
BY_TEST_ID: Final = re.compile(rf"internal:testid=\[[\w-]+={STRING}\]")
BY_ROLE: Final = re.compile(r"internal:role=(?P<role>\w+)(?P<attributes>(?:\[.*\])?)", re.DOTALL)
NAME: Final = re.compile(rf"\[name={STRING}\]")
STATE: Final = re.compile(r"\[(?P<state>checked|disabled|expanded|pressed|selected)=(?P<is>true|false)\]")
METHODS: Final = {
    "text": "get_by_text",
    "label": "get_by_label",
    "placeholder": "get_by_placeholder",
    "alt": "get_by_alt_text",
    "title": "get_by_title",
}
FILTERS: Final = {"has-text": "has_text", "has-not-text": "has_not_text"}


def as_in_messages(selector: str) -> str:
    """`internal:role=button[name="Save"i]` is `get_by_role("button", name="Save")`; nothing for what is not simple."""
    steps = [_step(part) for part in CHAINED.split(selector.strip())] if selector.strip() else []
    known = [step for step in steps if step is not None]
    return written(known) if known and len(known) == len(steps) else ""


def _step(part: str) -> Step | None:
    if not part.startswith("internal:"):
        return _plain(part)
    if part == "internal:control=enter-frame":
        return Step("content_frame")
    if told := BY_TEST_ID.fullmatch(part):
        return Step("get_by_test_id", (_text(told),))
    if told := BY_ROLE.fullmatch(part):
        return _role(told["role"], told["attributes"])
    told = BY_TEXT.fullmatch(part) or BY_ATTRIBUTE.fullmatch(part)
    if told is None:
        return None
    if told["engine"] in FILTERS:
        return Step("filter", (), ((FILTERS[told["engine"]], _text(told)),))
    return Step(METHODS[told["engine"]], (_text(told),), (("exact", True),) if told["flag"] == "s" else ())


def _plain(part: str) -> Step:
    if part == "visible=true":
        return VISIBLE
    engine, _, place = part.partition("=")
    if engine == "nth" and place.lstrip("-").isdigit():
        return (
            Step({"0": "first", "-1": "last"}[place]) if place in {"0", "-1"} else Step("nth", (int(place),))
        )
    return Step("locator", (part,))


def _role(role: str, attributes: str) -> Step | None:
    named: list[tuple[str, Value]] = []
    if told := NAME.search(attributes):
        named.append(("name", _text(told)))
        if told["flag"] == "s":
            named.append(("exact", True))
    rest = NAME.sub("", attributes)
    named += [(state["state"], state["is"] == "true") for state in STATE.finditer(rest)]
    return (
        None
        if STATE.sub("", rest)
        else Step("get_by_role", (role,), tuple(sorted(named, key=lambda one: one[0])))
    )


def _text(told: re.Match[str]) -> str:
    return json.loads(told["text"])
