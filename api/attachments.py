"""What is read of an event or a page on demand: bodies, stacks, long texts, HTML; redacted, and kept for as long as somebody reads on."""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from ..correlator.engine import Engine
from ..correlator.redact import Redactor
from ..correlator.redact_long import redacted_blocks
from ..observer.documents import element_html, response_body
from ..observer.domains.runtime import ConsoleCalled, ExceptionThrown
from ..observer.ended_bodies import EndedBodies
from ..observer.errors import UnknownPage
from ..observer.observer import Observer
from ..observer.signal import Signal, StackFrame
from .errors import NotFound

MAX_CHARS: Final = 8 << 20
MAX_LAID_OUT_CHARS: Final = 4 << 20
KEPT: Final = 8
KEPT_S: Final = 120.0
SHORT_CHARS: Final = 200
TIMED_OUT: Final = "timed_out"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text without secrets; `about` says what it is, and what of it is missing."""

    text: str
    about: dict[str, Any]


class Attachments:
    """Those of one browser. `take` every signal."""

    def __init__(self, engine: Engine, observer: Observer, redactor: Redactor) -> None:
        self._engine = engine
        self._observer = observer
        self._redactor = redactor
        self._bodies = EndedBodies()
        self._read: OrderedDict[str, Attachment] = OrderedDict()

    def take(self, signal: Signal) -> None:
        self._bodies.take(signal)

    def knows(self, event_id: str) -> bool:
        return self._engine.signal_of(event_id) is not None

    def parts_of(self, event_id: str) -> tuple[str, ...]:
        """Which of `body`, `stack` and `text` can be read of an event now."""
        signal = self._engine.signal_of(event_id)
        if signal is None:
            return ()
        there = {
            "body": bool(self._bodies.session_of(signal.request_id)),
            "stack": bool(signal.stack or signal.async_stack),
            "text": len(self._said(signal)) > SHORT_CHARS,
        }
        return tuple(part for part, is_there in there.items() if is_there)

    async def of_event(self, event_id: str, part: str, limit_s: float) -> Attachment:
        """Raises NotFound, CommandFailed, PageBusy."""
        signal = self._engine.signal_of(event_id)
        if signal is None:
            raise NotFound(
                f"What event {event_id[:64]} was made of is not kept any more.",
                f'observe {{"what":"event","id":"{event_id[:64]}"}} tells all that is left.',
            )
        name = f"{event_id}/{part}"
        if (kept := self._read.get(name)) is not None:
            return kept
        if part == "body":
            return self._keep(name, await self._body(signal, limit_s))
        text = self._stack(signal) if part == "stack" else self._said(signal)
        return self._keep(name, await self._text(text, limit_s, cut=text.endswith("…")))

    async def of_page(self, page: str, selector: str, limit_s: float, *, again: bool) -> Attachment:
        """The page's HTML as it is now, or as it was read before if it is read on (`again`). Raises NotFound, CommandFailed, PageBusy."""
        name = f"{page}/dom/{selector}"
        if again:
            if (kept := self._read.get(name)) is None:
                raise NotFound(
                    "What was read of the page is not kept any more.", "Read it anew, without `after`."
                )
            return kept
        made = await element_html(self._observer.session_of(page), selector, limit_s)
        return self._keep(name, await self._text(made.html, limit_s, cut=made.cut))

    async def _body(self, signal: Signal, limit_s: float) -> Attachment:
        session_id = self._bodies.session_of(signal.request_id)
        if not session_id:
            raise NotFound(
                "The event has no body that has ended."
                if signal.request_id
                else "The event is not about a request.",
                "Of an answer that the page does not read to its end, or that is still coming, Chrome gives none.",
            )
        session = self._observer.session(session_id)
        if session is None:
            raise UnknownPage(
                f"{signal.page} is gone, and its bodies with it.", "Read them while it is open."
            )
        body = await response_body(session, signal.request_id, limit_s)
        if not body.is_text:
            return Attachment("", {"bytes": body.size_bytes, "binary": True})
        return await self._text(body.text, limit_s, lay_out=True)

    async def _text(
        self, text: str, limit_s: float, *, cut: bool = False, lay_out: bool = False
    ) -> Attachment:
        until_s = time.monotonic() + limit_s
        return await asyncio.to_thread(redacted, text, self._redactor, until_s, cut=cut, lay_out=lay_out)

    def _said(self, signal: Signal) -> str:
        detail = signal.detail
        if isinstance(detail, ConsoleCalled):
            return self._observer.long_text(signal) or detail.text
        return detail.text if isinstance(detail, ExceptionThrown) else ""

    def _stack(self, signal: Signal) -> str:
        lines = [self._frame(frame) for frame in signal.stack]
        if signal.async_stack:
            lines += ["called from, earlier:", *(self._frame(frame) for frame in signal.async_stack)]
        return "\n".join(lines)

    def _frame(self, frame: StackFrame) -> str:
        place = self._engine.source_maps.place(frame)
        url = frame.url.partition("?")[0]
        told = f"at {frame.function or '(anonymous)'} {url}:{frame.line}:{frame.column}"
        return f"{told} ← {place.frame.url}:{place.frame.line}:{place.frame.column}" if place else told

    def _keep(self, name: str, made: Attachment) -> Attachment:
        if TIMED_OUT in made.about:
            return made  # so that the next call may take longer
        self._read.pop(name, None)
        self._read[name] = made
        while len(self._read) > KEPT or sum(len(one.text) for one in self._read.values()) > 2 * MAX_CHARS:
            self._read.popitem(last=False)
        asyncio.get_running_loop().call_later(KEPT_S, self._forget, name, made)
        return made

    def _forget(self, name: str, made: Attachment) -> None:
        if self._read.get(name) is made:
            del self._read[name]


def redacted(
    text: str, redactor: Redactor, until_s: float, *, cut: bool = False, lay_out: bool = False
) -> Attachment:
    """As much of it as there is time for. JSON is laid out a value a line: secrets are known by the names of their fields, and patterns find lines."""
    text = text.encode(errors="replace").decode()
    about: dict[str, Any] = {"bytes": len(text.encode())}
    if cut or len(text) > MAX_CHARS:
        about["cut"] = True
    text = text[:MAX_CHARS]
    if lay_out and (laid := laid_out(text, redactor)):
        text, about["json"] = laid, True
    blocks: list[str] = []
    for block in redacted_blocks(text, redactor):
        blocks.append(block)
        if time.monotonic() > until_s:
            about |= {"cut": True, TIMED_OUT: True}
            break
    return Attachment("".join(blocks), about)


def laid_out(text: str, redactor: Redactor) -> str:
    if len(text) > MAX_LAID_OUT_CHARS or text.lstrip()[:1] not in ("{", "["):
        return ""
    try:
        value = redactor.value(json.loads(text))
        return json.dumps(value, ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return ""
