"""One browser that the tests drive: what was told of it since the test began, its pages, and its requests that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from ...correlator.engine import new_uuid7
from ...correlator.event import Cause, Event
from ...observer.cdp.targets import TargetClosed, TargetOpened
from ...observer.domains.network import RequestFailed, RequestFinished, RequestSent, ResponseReceived
from ...observer.domains.page import Navigated, NavigatedWithin
from ...observer.errors import FirstcauseError
from ...observer.observer import BrowserLost
from ...observer.signal import Signal
from ..observation import Observation
from ..publishing import event_of
from ..wire import Publication

PROJECT: Final = "tests"
ANSWER_S: Final = 0.5
STOP_S: Final = 3.0
# A socket that dropped is mended within a second; a browser that ended does not come back.
GONE_AFTER_S: Final = 2.0
KEPT_WAITING: Final = 1_000
WAITED_FOR: Final = frozenset({"Document", "Fetch", "XHR", "Script"})


@dataclass(slots=True)
class SeenPage:
    """A page as a test knows it, by its address. `context` names the browser context, once it was asked for."""

    name: str
    url: str = ""
    context: str = ""
    is_open: bool = True


class Waiting(NamedTuple):
    """A request that has no answer yet, and will have none if its page was left meanwhile: Chrome does not tell of that."""

    page: str
    method: str
    url: str
    sent_ms: float
    left_ms: float = 0.0


class TargetReply(msgspec.Struct, rename="camel"):
    target_info: ContextInfo


class ContextInfo(msgspec.Struct, rename="camel"):
    browser_context_id: str = ""


TARGET = msgspec.json.Decoder(TargetReply)


class Observed:
    """To be used in the thread of its event loop; only `name` and `owner` are anybody's."""

    def __init__(self, address: str | int, name: str, owner: object) -> None:
        self.name = name
        self.owner = owner
        """Playwright's own object of the browser, or of its persistent context."""
        self.events: list[Event] = []
        self.pages: dict[str, SeenPage] = {}
        self.waiting: dict[str, Waiting] = {}
        self.is_over = False
        self._session = new_uuid7()
        self.observation = Observation(
            address, self.events.append, project=PROJECT, name=name, on_signal=self._note
        )
        self._gone: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._noting: dict[type[Any], Callable[[Signal, Any], None]] = {
            TargetOpened: self._opened,
            TargetClosed: self._closed,
            Navigated: self._navigated,
            NavigatedWithin: self._navigated,
            RequestSent: self._sent,
            ResponseReceived: self._answered,
            RequestFinished: self._answered,
            RequestFailed: self._answered,
            BrowserLost: self._lost,
        }

    async def start(self) -> None:
        """Raises BrowserUnreachable."""
        await self.observation.__aenter__()

    async def stop(self) -> None:
        """What is held back is told then; afterwards events may still be joined."""
        if self.is_over:
            return
        self.is_over = True
        if self._gone is not None:
            self._gone.cancel()
        async with asyncio.timeout(STOP_S):
            await self.observation.__aexit__(None, None, None)

    def begin(self) -> None:
        """Another test: what was told of others is no concern of it."""
        self.events.clear()
        self.waiting = {key: one for key, one in self.waiting.items() if not one.left_ms}
        self.pages = {name: page for name, page in self.pages.items() if page.is_open}

    def weak_of(self, event_id: str) -> tuple[Cause, ...]:
        return self.observation.weak_of(event_id)

    def publish(self, publication: Publication, cause: Cause | None = None) -> Event:
        """An event of ours, with the chain that it belongs to. Raises BadField and TooLarge."""
        event = event_of(publication, PROJECT, self.observation.session or self._session)
        if cause is not None:
            event = event.model_copy(update={"cause": cause})
        joined = self.observation.join(event)
        self.events += joined
        return joined[-1]

    async def barrier(self) -> frozenset[str]:
        """All that the open pages had to tell until now has arrived; gives those that did not answer."""
        # Of a popup the first navigation may have been before we were there.
        for name, url in self.observation.observer.pages().items():
            self.pages.setdefault(name, SeenPage(name)).url = url
        names = [page.name for page in self.pages.values() if page.is_open]
        answered = await asyncio.gather(*(self._answers(name) for name in names))
        return frozenset(name for name, answers in zip(names, answered, strict=True) if not answers)

    def foreign_to(self, name: str) -> frozenset[str]:
        """The pages of other browser contexts than that of this one."""
        own = self.pages[name].context if name in self.pages else ""
        others = (page for page in self.pages.values() if page.context and page.context != own)
        return frozenset(page.name for page in others) if own else frozenset()

    def page_at(self, url: str, place: int, alike: int) -> str:
        """The page that Playwright knows as number `place` of the `alike` open ones at this address; "" if that is not sure."""
        open_pages = [page for page in self.pages.values() if page.is_open and _same(page.url, url)]
        if place < len(open_pages) == alike:
            return open_pages[place].name
        if len(open_pages) == 1:
            return open_pages[0].name
        closed = [page for page in self.pages.values() if not page.is_open and _same(page.url, url)]
        if not open_pages and len(closed) == 1:
            return closed[0].name
        return next(iter(self.pages)) if len(self.pages) == 1 else ""

    async def _answers(self, name: str) -> bool:
        with suppress(FirstcauseError):
            session = self.observation.observer.session_of(name)
            target = session.post("Target.getTargetInfo", ANSWER_S)
            evaluated = session.post("Runtime.evaluate", ANSWER_S, expression="0", silent=True)
            with suppress(FirstcauseError, msgspec.MsgspecError):
                self.pages[name].context = TARGET.decode(await target).target_info.browser_context_id
            await evaluated
            return True
        return False

    def _note(self, signal: Signal) -> None:
        noting = self._noting.get(type(signal.detail))
        if noting is not None:
            noting(signal, signal.detail)

    def _opened(self, signal: Signal, detail: TargetOpened) -> None:
        if detail.type == "page" and signal.page:
            self.pages[signal.page] = SeenPage(signal.page, detail.url)

    def _closed(self, signal: Signal, detail: TargetClosed) -> None:
        if detail.type == "page" and signal.page in self.pages:
            self.pages[signal.page].is_open = False
            self.waiting = {key: one for key, one in self.waiting.items() if one.page != signal.page}

    def _navigated(self, signal: Signal, detail: Navigated | NavigatedWithin) -> None:
        if signal.page not in self.pages or signal.target_type != "page":
            return
        if (isinstance(detail, Navigated) and detail.main_frame) or signal.frame == signal.target:
            self.pages[signal.page].url = detail.url
        if isinstance(detail, Navigated) and detail.main_frame:
            for key, one in self.waiting.items():
                if one.page == signal.page and key != signal.loader_id and not one.left_ms:
                    self.waiting[key] = one._replace(left_ms=signal.wall_ms)

    def _sent(self, signal: Signal, detail: RequestSent) -> None:
        if detail.type in WAITED_FOR and len(self.waiting) < KEPT_WAITING:
            self.waiting[signal.request_id] = Waiting(signal.page, detail.method, detail.url, signal.wall_ms)

    def _answered(self, signal: Signal, _: ResponseReceived | RequestFinished | RequestFailed) -> None:
        self.waiting.pop(signal.request_id, None)

    def _lost(self, _: Signal, __: BrowserLost) -> None:
        self._gone = asyncio.get_running_loop().call_later(GONE_AFTER_S, self._stop_if_gone)

    def _stop_if_gone(self) -> None:
        if not self.observation.observer.connected:
            self._ending = asyncio.ensure_future(self._stop_quietly())

    async def _stop_quietly(self) -> None:
        with suppress(FirstcauseError, TimeoutError):
            await self.stop()


def own_events(events: Sequence[Event], foreign: frozenset[str]) -> list[Event]:
    return [event for event in events if event.page not in foreign]


def _same(one: str, other: str) -> bool:
    return one.partition("#")[0] == other.partition("#")[0]
