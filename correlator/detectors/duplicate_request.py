"""The same request twice: what the first one does or brings would have been enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from pydantic import Field

from ...observer.domains.network import UNSEEN_BODY, RequestFailed, RequestSent, ResponseReceived
from ...observer.domains.page import NavigatedWithin
from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..findings.finding import Scene, context, places, said
from ..kept import Kept
from .data_requests import aside, is_ahead
from .detector import NEVER_S, Detector, Found, Options
from .requests import ASKED_BY_SCRIPT, lasting
from .windows import Growth, PageKey, page_of

KEPT_KEYS = 2_000
KEPT_REQUESTS = 5_000
KEPT_PAGES = 500
KEPT_DOUBTS = 100
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
# A POST to one of these most often only asks.
ASKS = re.compile(r"graphql|gql|rpc|query|search|batch|lookup", re.IGNORECASE)
PARTIAL = 206
BY_SCRIPT = "historyApi"
# A page that gives the first one up does that right after the second.
SETTLES_S = 0.1
# So many times the gap between two, and a third one would have come if it was polling.
NEXT_TICK = 1.5
REGULAR = 2.0

RequestKey = tuple[str, str]
Key = tuple[str, str, str, str, str, str]


class DuplicateOptions(Options):
    within_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="The second one comes within this time, or before the first is answered.",
    )


class Asked:
    """One request."""

    __slots__ = ("began_ms", "is_answered", "is_failed", "is_given_up")

    def __init__(self, began_ms: float) -> None:
        self.began_ms = began_ms
        self.is_answered = False
        self.is_failed = False
        self.is_given_up = False


class Equals:
    """The requests of a document that are all the same: the latest, and how many were one too many."""

    __slots__ = ("gap_ms", "is_polled", "last", "repeats")

    def __init__(self, first: Asked) -> None:
        self.last = first
        self.gap_ms = 0.0
        self.is_polled = False
        self.repeats = 0

    def next(self, asked: Asked) -> None:
        gap_ms = asked.began_ms - self.last.began_ms
        self.is_polled = (
            self.last.is_answered and 0 < self.gap_ms < gap_ms * REGULAR and gap_ms < self.gap_ms * REGULAR
        )
        self.gap_ms = gap_ms
        self.last = asked


class Doubt:
    """A second request that may have a reason: a moment later that is known."""

    __slots__ = ("before", "due_s", "equals", "gap_ms", "is_ready", "key", "now", "overlaps", "signal")

    def __init__(self, signal: Signal, key: Key, equals: Equals, before: Asked) -> None:
        self.signal = signal
        self.key = key
        self.equals = equals
        self.before = before
        self.now = equals.last
        self.gap_ms = equals.gap_ms
        self.overlaps = not before.is_answered
        wait_s = 0.0 if self.overlaps else self.gap_ms * NEXT_TICK / 1000
        self.due_s = signal.monotonic_s + wait_s + SETTLES_S
        # What only asks may be answered from a cache, and cost nothing.
        self.is_ready = changes(key)


class DuplicateRequest(Detector[DuplicateOptions]):
    """What a page has a reason for is none: it asks again after something changed or failed, after the user did something, for
    another part, or regularly. Asking twice is a waste, doing twice may be a bug: hence the severities.
    """

    id = "duplicate_request"
    channel = "anomalies"
    severity = "medium or low"
    about = "A page sends the same request twice; medium if it changes something, low if it only asks."
    trigger = (
        "Two requests of a document have the same method, address and body, the second within `within_s` or before the "
        "first is answered, and nothing tells that it was meant"
    )
    source = "Our own numbers"
    options_type = DuplicateOptions
    needs = (NavigatedWithin, RequestSent, ResponseReceived, RequestFailed, UserAction)

    def __init__(self, options: DuplicateOptions, scene: Callable[[Signal], Scene]) -> None:
        super().__init__(options, scene)
        self._equals: Kept[Key, Equals] = Kept(KEPT_KEYS)
        self._asked: Kept[RequestKey, Asked] = Kept(KEPT_REQUESTS)
        self._doubts: Kept[RequestKey, Doubt] = Kept(KEPT_DOUBTS)
        self._changed: Kept[PageKey, tuple[float, Key]] = Kept(KEPT_PAGES)
        self._acted_ms: Kept[PageKey, float] = Kept(KEPT_PAGES)
        self._went_ms: Kept[PageKey, float] = Kept(KEPT_PAGES)
        self._growth = Growth()

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        request = signal.browser, signal.request_id
        if isinstance(detail, RequestSent):
            if detail.type in ASKED_BY_SCRIPT and detail.method in METHODS and request not in self._asked:
                self._sent(signal, detail, request)
        elif isinstance(detail, UserAction):
            self._acted_ms[page_of(signal)] = signal.wall_ms
        elif isinstance(detail, NavigatedWithin):
            if detail.via != BY_SCRIPT:
                self._went_ms[page_of(signal)] = signal.wall_ms
        elif (asked := self._asked.get(request)) is not None:
            if isinstance(detail, ResponseReceived):
                return self._answered(signal, detail, request, asked)
            if isinstance(detail, RequestFailed):
                self._failed(detail, request, asked)
        return ()

    def advance(self, now_s: float) -> Iterable[Found]:
        due = [request for request, doubt in self._doubts.items() if doubt.is_ready and doubt.due_s <= now_s]
        found = [one for request in due for one in self._found(self._doubts.pop(request))]
        self._look_at_the_clock()
        return found

    def _sent(self, signal: Signal, detail: RequestSent, request: RequestKey) -> None:
        asked = self._asked[request] = Asked(signal.wall_ms)
        key = signal.browser, signal.session, signal.loader_id, detail.method, detail.url, detail.body
        page = page_of(signal)
        if detail.body != UNSEEN_BODY and not is_ahead(detail.url):
            equals = self._equals.get(key)
            if equals is None:
                self._equals[key] = Equals(asked)
            else:
                before = equals.last
                equals.next(asked)
                if not equals.is_polled and self._is_for_nothing(page, key, before, asked):
                    equals.repeats += 1
                    self._doubts[request] = Doubt(signal, key, equals, before)
                    self._look_at_the_clock()
        if changes(key):
            self._changed[page] = signal.wall_ms, key

    def _is_for_nothing(self, page: PageKey, key: Key, before: Asked, now: Asked) -> bool:
        """Whether the page knew all the time that it has asked for this, and nothing has happened since."""
        if before.is_failed or (
            before.is_answered and now.began_ms - before.began_ms > self.options.within_s * 1000
        ):
            return False
        changed_ms, by = self._changed.get(page, (0.0, key))
        if by != key and changed_ms >= before.began_ms:
            return False
        return not (before.is_answered and self._acted_ms.get(page, 0.0) >= before.began_ms)

    def _answered(
        self, signal: Signal, detail: ResponseReceived, request: RequestKey, asked: Asked
    ) -> Iterable[Found]:
        asked.is_answered = True
        asked.is_failed = detail.status >= 400
        doubt = self._doubts.get(request)
        if doubt is None or doubt.is_ready:
            return ()
        if detail.source or detail.status == PARTIAL:
            del self._doubts[request]
            return ()
        doubt.is_ready = True
        if doubt.due_s > signal.monotonic_s:
            self._look_at_the_clock()
            return ()
        del self._doubts[request]
        return self._found(doubt)

    def _failed(self, detail: RequestFailed, request: RequestKey, asked: Asked) -> None:
        if detail.canceled and 0 < detail.status < 400:  # answered, and not read
            return
        asked.is_answered = asked.is_failed = True
        asked.is_given_up = detail.canceled
        doubt = self._doubts.get(request)
        if doubt is not None and (detail.canceled or not changes(doubt.key)):
            del self._doubts[request]

    def _look_at_the_clock(self) -> None:
        self.due_s = min((doubt.due_s for doubt in self._doubts.values() if doubt.is_ready), default=NEVER_S)

    def _found(self, doubt: Doubt) -> list[Found]:
        equals, key = doubt.equals, doubt.key
        # Back and forward show again what was shown before; Chrome tells of them after the request.
        if self._went_ms.get(page_of(doubt.signal), 0.0) >= doubt.before.began_ms:
            return []
        episode = f"{self.id} {key}"
        count = equals.repeats + 1
        if equals.is_polled or doubt.before.is_given_up or not self._growth.is_due(episode, count):
            return []
        _, _, _, method, url, body = key
        scene = self.scene(doubt.signal)
        shown, is_change = scene.url(url), changes(key)
        same = " with the same body" if body else ""
        apart = f"{lasting(doubt.gap_ms)} apart" + (", before an answer" if doubt.overlaps else "")
        what = "it may be done twice" if is_change else "one answer would do"
        times = "twice" if count == 2 else f"{count} times"
        finding = self.finding(
            "medium" if is_change else "low",
            said(f"{method} {shown} was sent {times}{same}, {apart}: {what}"),
            count=count,
            template=f"{method} {shown.partition('?')[0]}",
            method=method,
            url=shown,
            in_flight=doubt.overlaps,
        )
        finding.context |= context(**places(doubt.signal.stack or doubt.signal.async_stack, scene))
        return [Found(finding, aside(doubt.signal), episode=episode)]


def changes(key: Key) -> bool:
    """Whether the request changes something at the server, as far as its method and its address tell."""
    _, _, _, method, url, _ = key
    return method != "GET" and not (method == "POST" and ASKS.search(urlsplit(url).path))
