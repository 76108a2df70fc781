"""What the tests do, as Playwright's own client says it: each call that does something, and the pages in the order of their opening.

That is no public interface: where it is missing, tests are told without their steps.
"""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from .guard import Guard

TOLD: Final = frozenset(
    {
        "check", "click", "dblclick", "dispatchEvent", "dragAndDrop", "expect", "fill", "goBack", "goForward", "goto", "hover",
        "press", "reload", "selectOption", "setInputFiles", "tap", "type", "uncheck", "waitForSelector",
    }
)  # fmt: skip
BY_ROLE: Final = re.compile(r'internal:role=(?P<role>\w+)(?:\[name="(?P<name>(?:[^"\\]|\\.)*)"\w?\])?\Z')
BY_TEST_ID: Final = re.compile(r'internal:testid=\[(?P<attribute>[\w-]+)="(?P<id>(?:[^"\\]|\\.)*)"\w?\]\Z')
BY_WORDS: Final = re.compile(r'internal:(?P<engine>text|label)="(?P<text>(?:[^"\\]|\\.)*)"\w?\Z')
BY_ATTRIBUTE: Final = re.compile(r'internal:attr=\[(?P<attribute>[\w-]+)="(?P<text>(?:[^"\\]|\\.)*)"\w?\]\Z')
INSTALLED: Final = ("site-packages", "dist-packages")


class Step(NamedTuple):
    """One call of the test: `Locator.click`, on which element or to which address, from where, when."""

    api: str
    selector: str
    url: str
    at: str
    wall_ms: float


class Steps:
    """`tell` gets each one as it begins, in the thread of the test."""

    def __init__(self, tell: Callable[[Step], object], guard: Guard) -> None:
        self._tell = tell
        self._guard = guard
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._opened: list[weakref.ref[Any]] = []
        self.is_on = False
        self.failed_ms = 0.0
        """When the latest call that failed did so."""

    def listen_to(self, owner: Any) -> None:
        """Of anything that Playwright made; once for each of its connections."""
        connection = getattr(getattr(owner, "_impl_obj", None), "_connection", None)
        listen = getattr(getattr(connection, "_instrumentation", None), "add_listener", None)
        if listen is not None and connection not in self._connections:
            self._connections.add(connection)
            listen(self)

    def opened(self) -> list[Any]:
        """Playwright's own objects of the pages that are open, in the order of their opening."""
        pages = [page for reference in self._opened if (page := reference()) is not None]
        self._opened = [weakref.ref(page) for page in pages if not page.is_closed()]
        return [page for page in pages if not page.is_closed()]

    # What Playwright calls.

    def on_api_call_begin(self, call: Any, channel: Any) -> None:
        if not self.is_on or channel.get("method") not in TOLD:
            return
        with self._guard:
            params: Any = channel.get("params") or {}
            self._tell(
                Step(
                    api=str(call.api_name or channel["method"]),
                    selector=str(params.get("selector") or ""),
                    url=str(params.get("url") or ""),
                    at=own_place(call.frames or ()),
                    wall_ms=time.time() * 1000,
                )
            )

    def on_api_call_end(self, call: Any) -> None:
        if getattr(call, "error", None) is not None:
            self.failed_ms = time.time() * 1000

    def on_page(self, page: Any) -> None:
        with self._guard:
            self._opened.append(weakref.ref(page))


def own_place(frames: Sequence[Any]) -> str:
    """`test_shop.py:12`, of the innermost frame that is nobody's library."""
    for frame in frames:
        file = str(frame.get("file") or "")
        if file and not file.startswith("<") and not any(part in INSTALLED for part in Path(file).parts):
            return f"{Path(file).name}:{frame.get('line')}"
    return ""


def as_written(selector: str) -> str:
    """Playwright's own spelling of a locator as people write it; what is not simple stays as it is."""
    if told := BY_ROLE.match(selector):
        name = f', name="{told["name"]}"' if told["name"] else ""
        return f'get_by_role("{told["role"]}"{name})'
    if told := BY_TEST_ID.match(selector):
        return f'get_by_test_id("{told["id"]}")'
    if told := BY_WORDS.match(selector):
        return f'get_by_{told["engine"]}("{told["text"]}")'
    if told := BY_ATTRIBUTE.match(selector):
        words = {"alt": "alt_text"}.get(told["attribute"], told["attribute"])
        return f'get_by_{words}("{told["text"]}")'
    return selector
