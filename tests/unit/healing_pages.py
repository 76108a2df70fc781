"""Pages for the tests of healing: literal elements, the little that finds them, and what is told of a test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from firstcause.api.testing import healing, meant, remembered
from firstcause.correlator.event import Cause, Event
from firstcause.observer.asked_selector import Asked
from firstcause.observer.errors import UnknownPage
from firstcause.observer.fingerprint import Fingerprint
from firstcause.observer.locating import Looked, PageStep

SAVE = Fingerprint(
    tag="button",
    role="button",
    name="Save",
    text="Save",
    id="save-settings",
    unique=("id",),
    css="#save-settings",
)
DRAFT = Fingerprint(
    tag="button",
    role="button",
    name="Save draft",
    text="Save draft",
    id="draft",
    unique=("id",),
    css="#draft",
)
MAIL = Fingerprint(tag="input", role="textbox", type="email", name="E-mail", field="mail", css="form > input")
STATUS = Fingerprint(tag="output", role="status", text="All is saved", classes=("save-status",), css="output")
PAY = Fingerprint(
    tag="button",
    role="button",
    name="Buy now",
    text="Buy now",
    id="buy",
    classes=("btn", "primary"),
    path=("form#cart",),
    rect=(10, 10, 80, 20),
    around="Your order 84.00",
)


class FakePage:
    """Literal elements, and the little that finds them."""

    def __init__(self, elements: Sequence[Fingerprint]) -> None:
        self.elements = elements
        self.refusing: Exception | None = None
        self.reason = ""

    async def look(self, session: object, steps: Sequence[PageStep], *_: object) -> Looked:
        if self.refusing is not None:
            raise self.refusing
        if self.reason:
            return Looked(reason=self.reason)
        found, counts = list(self.elements), list[int]()
        for step in steps:
            found = self.step(found, step)
            counts.append(len(found))
        return Looked(tuple(counts), tuple(found[:1]), tuple(self.elements))

    async def count_of_role(self, session: object, scope: Sequence[PageStep], wanted: Asked) -> int:
        return sum(
            one.role == wanted.wanted and wanted.name in {None, one.name}
            for one in self.elements
            if not one.hidden
        )

    def step(self, found: list[Fingerprint], step: PageStep) -> list[Fingerprint]:
        if step.engine == "nth":
            return found[step.place :][:1]
        return [each for each in found if self.fits(each, step)]

    def fits(self, each: Fingerprint, step: PageStep) -> bool:
        def has(text: str, wanted: str, *, exact: bool) -> bool:
            return text == wanted if exact else wanted.lower() in text.lower() and bool(text)

        if step.engine == "role":
            return each.role == step.text and (
                step.name is None or has(each.name, step.name.text, exact=step.name.exact)
            )
        if step.engine == "label":
            return each.tag == "input" and has(each.name, step.text, exact=step.exact)
        if step.engine in {"text", "has_text"}:
            return has(each.text, step.text, exact=step.exact)
        if step.engine == "testid":
            return each.test == f"data-testid={step.text}"
        if found := re.fullmatch(r'(\w+)?\[name="(.+)"\]', step.text):
            return each.field == found[2]
        marks = {f"#{each.id}", each.tag, each.css, *(f".{name}" for name in each.classes)}
        return step.text in marks


def shown(patch: pytest.MonkeyPatch, elements: Sequence[Fingerprint]) -> FakePage:
    """What every question is answered by from now on."""
    fake = FakePage(elements)
    for module in (healing, meant, remembered):
        patch.setattr(module, "look", fake.look)
    patch.setattr(healing, "count_of_role", fake.count_of_role)
    return fake


def observation(*pages: str) -> Any:
    def session_of(name: str) -> object:
        if name not in pages:
            raise UnknownPage(f"{name} is not observed.")
        return object()

    return SimpleNamespace(observer=SimpleNamespace(session_of=session_of))


def event(name: str, kind: str, channel: str, cause: str = "", severity: str = "high") -> Event:
    return Event.model_validate(
        {
            "id": name, "seq": 1, "timestamp": "2026-11-21T12:00:00.000Z", "project": "shop", "session": "s", "page": "p1",
            "channel": channel, "type": {"network_errors": "network_error", "errors": "error"}.get(channel, "activity"),
            "kind": kind, "severity": severity, "summary": f"{kind} of token=hunter2hunter2", "fingerprint": "f", "count": 1,
            "cause": Cause(id=cause, via="task", confidence=0.7) if cause else None,
        }
    )  # fmt: skip
