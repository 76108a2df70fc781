"""What is known of each page, thread and request while signals come in: the facts that the rules of evidence look at."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from ..observer.cdp.targets import TargetClosed, TargetOpened
from ..observer.domains.audits import Issue
from ..observer.domains.log import LogEntry
from ..observer.domains.network import (
    RequestFailed,
    RequestFinished,
    RequestSent,
    ResponseReceived,
    SocketClosed,
    SocketFailed,
    SocketOpened,
)
from ..observer.domains.page import (
    DialogOpened,
    Lifecycle,
    Navigated,
    NavigatedWithin,
    NavigationRequested,
)
from ..observer.domains.page_script import (
    ActionEnded,
    Interaction,
    LongFrame,
    MutationBatch,
    SelectorMatches,
    UserAction,
)
from ..observer.domains.runtime import ConsoleCalled, ExceptionThrown
from ..observer.domains.tasks import (
    ActionBegan,
    ElementFailed,
    ElementHandled,
    ElementRemoved,
    FetchIntercepted,
    MessageSent,
    RealmStarted,
    RequestMade,
    TaskFails,
    TaskNavigates,
    WorkerMade,
)
from ..observer.domains.watchdog import PageHang
from ..observer.signal import Detail, Signal
from .contexts import Contexts, Origin, same_address
from .event import Event
from .kept import Kept
from .nodes import Action, Document, Effect, Node, Published, Removal, Request

KEPT_REQUESTS = 10_000
KEPT_PAGES = 1_000
KEPT_THREADS = 2_000
KEPT_PER_PAGE = 200
KEPT_EARLY = 100
LOOKED_AT = 100
# What the page told of its task holds for failures that follow at once; a later one may be another task's.
CONTEXT_HOLDS_MS = 50.0
# Chrome and the page clock the same input with less than this between them.
SAME_INPUT_MS = 1.5
CLICK_TAKES_MS = 1_500.0
INPUT_FOLLOWS_MS = 50.0
PRESSES = frozenset({"pointerdown", "mousedown", "touchstart"})
TYPING = frozenset({"keydown", "keyup", "input", "change"})
TYPED = TYPING | {"key"}
FOREIGN_MESSAGE = "message@"
MESSAGE_FOLLOWS_MS = 50.0
# The page tells when the handler is over, unless its document goes before.
HANDLER_TAKES_MS = 2_000.0
NAVIGATION_FOLLOWS_MS = 2_000.0
CONSOLE_FAILURES = frozenset({"error", "assert", "warning"})
BLOCKING_ISSUES = frozenset({"ContentSecurityPolicyIssue", "CorsIssue", "MixedContentIssue"})
NOT_ASKED_BY_SCRIPT = frozenset({"Preflight", "CSPViolationReport", "SignedExchange"})
MARKED_REQUESTS = frozenset({"Fetch", "XHR", "EventSource", "Ping"})
SELECTOR = re.compile(r"#[\w-]+|\[[\w-]+=[^\]]+\]")


class Thread:
    """A session's main thread: in whose name it runs."""

    __slots__ = ("action", "announced", "asked", "context", "context_wall_ms", "element", "last")

    def __init__(self) -> None:
        self.context: str | None = None
        self.context_wall_ms = 0.0
        self.action: Action | None = None
        self.announced: Action | None = None  # one whose signal is about to come
        self.element: tuple[str, float] | None = None  # the context of an error handler, and when that began
        self.last: Request | None = None
        self.asked: deque[tuple[Request, str]] = deque(maxlen=KEPT_PER_PAGE)


class Page:
    """What happened on one page, the latest last."""

    __slots__ = ("actions", "failures", "intent", "opened", "removals", "requests", "steps")

    def __init__(self) -> None:
        self.actions: deque[Action] = deque(maxlen=KEPT_PER_PAGE)
        self.failures: deque[Node] = deque(maxlen=KEPT_PER_PAGE)
        self.requests: deque[Request] = deque(maxlen=KEPT_PER_PAGE)
        self.removals: deque[Removal] = deque(maxlen=KEPT_PER_PAGE)
        self.steps: deque[Node] = deque(maxlen=KEPT_PER_PAGE)
        self.intent: Effect | None = (
            None  # a navigation, or the opening of another page, that is about to come
        )
        self.opened: Node | None = None


class Flow:
    """`note` every signal; it gives the effect whose cause is to be looked for, if the signal is one."""

    def __init__(self) -> None:
        self.contexts = Contexts()
        self.pages: Kept[tuple[str, str], Page] = Kept(KEPT_PAGES)
        self._threads: Kept[tuple[str, str], Thread] = Kept(KEPT_THREADS)
        self._requests: Kept[tuple[str, str], Request] = Kept(KEPT_REQUESTS)
        self._documents: Kept[tuple[str, str], Document] = Kept(KEPT_REQUESTS)
        self._ticks: Kept[tuple[str, str], tuple[int, bool]] = Kept(KEPT_REQUESTS)
        self._intercepted_early: Kept[tuple[str, str], str] = Kept(KEPT_EARLY)
        self._latest: Signal | None = None
        self._noting: dict[type[Detail], Callable[[Signal, Any], Effect | None]] = {
            RequestSent: self._sent,
            ResponseReceived: self._answered,
            RequestFinished: self._finished,
            RequestFailed: self._failed,
            SocketOpened: self._socket_opened,
            SocketClosed: self._socket_ended,
            SocketFailed: self._socket_ended,
            Navigated: self._navigated,
            NavigatedWithin: self._navigated_within,
            NavigationRequested: self._navigation_requested,
            DialogOpened: self._dialog,
            Lifecycle: self._lifecycle,
            TargetOpened: self._target_opened,
            TargetClosed: self._target_closed,
            UserAction: self._acted,
            ActionEnded: self._action_ended,
            ExceptionThrown: self._exception,
            ConsoleCalled: self._console,
            PageHang: self._busy,
            LongFrame: self._busy,
            MutationBatch: self._busy,
            Interaction: self._busy,
            SelectorMatches: self._selector,
            RealmStarted: self._realm_started,
            RequestMade: self._request_made,
            TaskFails: self._task_fails,
            TaskNavigates: self._task_navigates,
            ActionBegan: self._action_began,
            ElementFailed: self._element_failed,
            ElementHandled: self._element_handled,
            WorkerMade: self._worker_made,
            MessageSent: self._message_sent,
            ElementRemoved: self._removed,
            FetchIntercepted: self._intercepted,
        }

    def note(self, signal: Signal) -> Effect | None:
        self._latest = signal
        noting = self._noting.get(type(signal.detail))
        if noting is not None:
            return noting(signal, signal.detail)
        return self.outcome(signal)

    def outcome(self, signal: Signal) -> Effect | None:
        """What tells how a request ended, or reports on it by its address."""
        request = self.request(signal) or self._reported(signal)
        return Effect("outcome", signal, node=request) if request is not None else None

    def awaits_request(self, signal: Signal) -> bool:
        """Whether it reports on a request that is about to be heard of, or on its end: Chrome does not keep their order."""
        detail = signal.detail
        if not self._requests or not isinstance(detail, LogEntry | Issue):
            return False
        request = self.request(signal)
        if request is not None:
            return not request.answered and isinstance(detail, LogEntry)
        if isinstance(detail, LogEntry) and detail.source == "security":
            return True
        return bool(signal.request_id) or (isinstance(detail, Issue) and detail.code in BLOCKING_ISSUES)

    def publish(self, event: Event) -> Effect:
        """What was told from outside, placed on the page that it names, or on the only one that there is."""
        wall_ms = datetime.fromisoformat(event.timestamp).timestamp() * 1000
        latest = self._latest
        named = [key for key in self.pages if key[1] == event.page or not event.page]
        browser, page = named[0] if len(named) == 1 else ("", event.page)
        signal = Signal(
            detail=Published(),
            browser=browser,
            session="",
            order=0,
            monotonic_s=latest.monotonic_s + (wall_ms - latest.wall_ms) / 1000 if latest else 0.0,
            wall_ms=wall_ms,
            page=page,
        )
        selector = event.context.get("selector")
        text = plain(selector) if isinstance(selector, str) else " ".join(selectors_in(event.summary))
        node = Node("selector" if event.channel == "selectors" else "failure", signal, text)
        node.failed = event.severity != "info"
        return Effect("published", signal, text, node=node)

    def published(self, effect: Effect, event: Event, chain_id: str) -> None:
        """It was told, and may be a cause from now on."""
        node = effect.node
        if node is None or event.channel == "output":
            return
        node.tells(event.id, chain_id, failed=node.failed)
        page = self.page(node)
        (page.failures if node.failed else page.steps).append(node)

    # What the rules ask.

    def page(self, of: Signal | Node) -> Page:
        key = of.browser, of.page
        page = self.pages.get(key)
        if page is None:
            page = self.pages[key] = Page()
        return page

    def origin(self, effect: Effect) -> Origin | None:
        return self.contexts.origin(effect.signal.browser, effect.context) if effect.context else None

    def document(self, of: Signal) -> Document | None:
        """The document that a signal belongs to: of its loader, its frame or its page."""
        found = self._documents.get((of.browser, of.loader_id)) if of.loader_id else None
        if found is None and of.frame:
            found = self.contexts.documents.get((of.browser, of.frame))
        return found or self.contexts.documents.get((of.browser, of.target))

    def request(self, of: Signal) -> Request | None:
        return self._requests.get((of.browser, of.request_id)) if of.request_id else None

    def latest_requests(self, of: Signal | Node) -> Iterator[Request]:
        """The page's requests, the latest first."""
        return reversed(self.page(of).requests)

    def is_steady(self, effect: Effect, origin: Origin) -> bool:
        """Whether an interval has brought something at every tick so far: then it does so by itself."""
        interval, _, number = origin.tick.partition(".")
        key = effect.signal.browser, f"{(effect.context or '').partition('~')[0]}~{interval}"
        tick = int(number) if number.isdecimal() else 0
        before, steady = self._ticks.get(key, (0, True))
        if tick != before:
            steady = steady and tick - before <= 1
            self._ticks[key] = tick, steady
        return steady

    # Requests and their ends.

    def _sent(self, signal: Signal, detail: RequestSent) -> Effect | None:
        known = self.request(signal)
        if known is not None:  # redirected
            known.text = detail.url
            return None
        if detail.type in NOT_ASKED_BY_SCRIPT or detail.initiator == "preflight":
            return None
        request, context = self._asked(signal, detail.url, marked=detail.type in MARKED_REQUESTS)
        request.resource = detail.type
        if context is None:
            context = self._unannounced(signal, detail)
        if detail.type == "Document":
            return self._document_asked(signal, request)
        if self._intercepted_early and signal.frame:
            early = self._intercepted_early.pop((signal.browser, detail.url), "")
            if early:
                self.contexts.nodes[signal.browser, early] = request
        self._remember(signal, request)
        return self._effect("request", signal, request, detail.initiator, context)

    def _document_asked(self, signal: Signal, request: Request) -> Effect:
        document = Document(signal, request.text)
        self._documents[signal.browser, signal.loader_id] = document
        self._requests[signal.browser, signal.request_id] = request
        document.request = request
        return self._navigation(signal, document, request.text)

    def _navigation(self, signal: Signal, node: Node, url: str) -> Effect:
        """Caused by what the page was about to do, if anything: a driver's own navigation has no cause."""
        page = self.page(signal)
        intent = page.intent if self._is_intended(page, signal, url) else None
        if intent is None:
            return Effect("navigation", signal, url, node=node)
        return Effect("navigation", signal, url, intent.context, intent.action, node=node)

    def _is_intended(self, page: Page, signal: Signal, url: str) -> bool:
        """Whether this is where the page was about to go."""
        intent = page.intent
        if intent is None or signal.wall_ms - intent.signal.wall_ms > NAVIGATION_FOLLOWS_MS:
            return False
        return not intent.text or same_address(url, intent.text)

    def _asked(self, signal: Signal, url: str, *, marked: bool) -> tuple[Request, str | None]:
        """The request that the page announced, or a new one, and the context in which it was made."""
        asked = self._thread(signal).asked
        if not marked or not asked:
            return Request(signal, url), None
        if not same_address(url, asked[0][0].text):
            found = next((pair for pair in asked if same_address(url, pair[0].text)), None)
            if found is None:
                return Request(signal, url), None
            while asked[0] is not found:  # those before it were refused before they were sent
                asked.popleft()
        request, context = asked.popleft()
        request.text, request.request_id = url, signal.request_id
        request.frame = signal.frame
        return request, context

    def _unannounced(self, signal: Signal, detail: RequestSent) -> str | None:
        """The context of a request that the page does not announce: a worker's script, what an error handler loads instead."""
        if detail.type == "Script" and (made := self.contexts.worker_asked(signal.browser, detail.url)):
            return made
        element = self._thread(signal).element
        if element is None or detail.initiator == "parser":
            return None
        context, began_ms = element
        return context if 0 <= signal.wall_ms - began_ms <= HANDLER_TAKES_MS else None

    def _remember(self, signal: Signal, request: Request) -> None:
        self._requests[signal.browser, signal.request_id] = request
        self.page(signal).requests.append(request)
        request.stack, request.async_stack = signal.stack, signal.async_stack

    def _answered(self, signal: Signal, detail: ResponseReceived) -> Effect | None:
        request = self.request(signal) or self._begun_before_us(signal, detail)
        if request is None:
            return None
        request.status, request.mime = detail.status, detail.mime
        return self._over(signal, request, failed=detail.status >= 400)

    def _begun_before_us(self, signal: Signal, detail: ResponseReceived) -> Request | None:
        """What has failed may explain others all the same."""
        if detail.status < 400 or not signal.request_id or detail.type in NOT_ASKED_BY_SCRIPT:
            return None
        request = Request(signal, detail.url, detail.type)
        self._remember(signal, request)
        return request

    def _finished(self, signal: Signal, _: RequestFinished) -> None:
        request = self.request(signal)
        if request is not None:
            self._hears(signal, request)

    def _failed(self, signal: Signal, detail: RequestFailed) -> Effect | None:
        request = self.request(signal)
        # An answer whose body the page does not read ends like this too.
        unread = detail.canceled and 0 < detail.status < 400
        return self._over(signal, request, failed=not unread) if request is not None else None

    def _reported(self, signal: Signal) -> Request | None:
        detail = signal.detail
        for request in reversed(self.page(signal).requests):
            match detail:
                case LogEntry(source="network"):
                    fits = request.text == detail.url
                case LogEntry(source="security"):
                    fits = not request.answered and f"'{request.text}'" in detail.text
                case Issue() if detail.code in BLOCKING_ISSUES:
                    fits = not request.answered and request.text == detail.url
                case _:
                    return None
            if fits:
                return request
        return None

    def _socket_opened(self, signal: Signal, detail: SocketOpened) -> Effect:
        request, context = self._asked(signal, detail.url, marked=True)
        request.resource = "WebSocket"
        request.answered = True
        self._remember(signal, request)
        return self._effect("request", signal, request, "script", context)

    def _socket_ended(self, signal: Signal, _: SocketClosed | SocketFailed) -> Effect | None:
        request = self.request(signal)
        if request is None:
            return None
        request.failed = True
        self._hears(signal, request)
        return Effect("outcome", signal, node=request)

    def _over(self, signal: Signal, request: Request, *, failed: bool) -> Effect:
        request.answered = True
        request.failed = request.failed or failed
        self._hears(signal, request)
        return Effect("outcome", signal, node=request)

    def _hears(self, signal: Signal, request: Request) -> None:
        request.heard_s = signal.monotonic_s
        request.heard_ms = signal.wall_ms
        self._thread(signal).last = request

    # Pages and documents.

    def _navigated(self, signal: Signal, detail: Navigated) -> Effect:
        document = self._documents.get((signal.browser, signal.loader_id)) if signal.loader_id else None
        effect = None
        if document is None or detail.restored:
            document = Document(signal, detail.url)
            effect = self._navigation(signal, document, detail.url)
        document.page, document.frame, document.text = signal.page, signal.frame, detail.url
        self.contexts.documents[signal.browser, signal.frame] = document
        if signal.loader_id:
            self._documents[signal.browser, signal.loader_id] = document
        if detail.main_frame:
            self.contexts.documents[signal.browser, signal.target] = document
            self.page(signal).intent = None
            thread = self._thread(signal)
            thread.context = thread.action = thread.last = thread.element = None
        return effect or Effect("outcome", signal, node=document)

    def _navigated_within(self, signal: Signal, detail: NavigatedWithin) -> Effect:
        return self._navigation(signal, Node("navigation", signal, detail.url), detail.url)

    def _navigation_requested(self, signal: Signal, detail: NavigationRequested) -> None:
        page, thread = self.page(signal), self._thread(signal)
        if thread.action is not None and not self._is_intended(page, signal, detail.url):
            page.intent = Effect("intent", signal, detail.url, None, thread.action)

    def _dialog(self, signal: Signal, detail: DialogOpened) -> Effect:
        return self._effect("dialog", signal, Node("dialog", signal, detail.message), "", None)

    def _lifecycle(self, signal: Signal, detail: Lifecycle) -> None:
        document = self.document(signal)
        if document is not None and detail.name == "load":
            document.is_loaded = True

    def _target_opened(self, signal: Signal, detail: TargetOpened) -> Effect | None:
        if detail.type == "page":
            page = self.page(signal)
            page.opened = Node("page", signal, detail.url)
            opener = self.pages.get((signal.browser, detail.opener))
            intent = opener.intent if opener is not None else None
            if intent is not None and signal.wall_ms - intent.signal.wall_ms <= NAVIGATION_FOLLOWS_MS:
                return Effect(
                    "navigation", signal, detail.url, intent.context, intent.action, node=page.opened
                )
            return Effect("outcome", signal, node=page.opened)
        self.contexts.worker_opened(signal, detail.url)
        return None

    def _target_closed(self, signal: Signal, detail: TargetClosed) -> None:
        self._threads.pop((signal.browser, signal.session), None)
        if detail.type == "page":
            self.pages.pop((signal.browser, signal.page), None)

    # What the user did.

    def _acted(self, signal: Signal, detail: UserAction) -> Effect:
        thread = self._thread(signal)
        action, thread.announced = thread.announced, None
        if action is None or signal.wall_ms - action.wall_ms > CLICK_TAKES_MS:
            action = Action(signal)
        action.text, action.how = signal.element, detail.type
        self.page(signal).actions.append(action)
        thread.action, thread.last = action, None
        return Effect("action", signal, signal.element, node=action)

    def _action_ended(self, signal: Signal, _: ActionEnded) -> None:
        self._thread(signal).action = None

    def _message_came(self, signal: Signal, detail: ActionBegan) -> None:
        """A message of another site's window: nothing tells who sent it, but what that site heard or was told right before."""
        site = detail.type.removeprefix(FOREIGN_MESSAGE)
        began_ms = signal.wall_ms - MESSAGE_FOLLOWS_MS
        pages = [page for (browser, _), page in self.pages.items() if browser == signal.browser]
        heard = [
            one
            for page in pages
            for one in reversed(page.requests)
            if began_ms <= one.heard_ms <= signal.wall_ms and self._site_of(one) == site
        ]
        acted = [
            one
            for page in pages
            for one in page.actions
            if began_ms <= one.wall_ms <= signal.wall_ms and self._site_of(one) == site
        ]
        if len(heard) == 1 or (not heard and len(acted) == 1):
            self.contexts.nodes[signal.browser, detail.id] = [*heard, *acted][0]

    def _site_of(self, node: Node) -> str:
        document = self.contexts.documents.get((node.browser, node.frame))
        return origin_of(document.text) if document is not None else ""

    def _action_began(self, signal: Signal, detail: ActionBegan) -> None:
        """The same input as the page script told it, or is about to tell: a press comes before its click.

        Typing is told once, for all that is typed in one go.
        """
        if detail.type.startswith(FOREIGN_MESSAGE):
            self._message_came(signal, detail)
            return
        action = self._same_input(signal, detail.type)
        if action is not None:
            self.contexts.nodes[signal.browser, detail.id] = action
            return
        thread = self._thread(signal)
        if thread.announced is None or signal.wall_ms - thread.announced.wall_ms > CLICK_TAKES_MS:
            thread.announced = Action(signal, how=detail.type)
        self.contexts.nodes[signal.browser, detail.id] = thread.announced

    def _same_input(self, signal: Signal, how: str) -> Action | None:
        began_ms = signal.wall_ms - SAME_INPUT_MS
        ends_ms = signal.wall_ms + (CLICK_TAKES_MS if how in PRESSES else SAME_INPUT_MS)
        found = None
        for action in reversed(self.page(signal).actions):
            if action.session != signal.session:
                continue
            if how in TYPING and action.how in TYPED and action.wall_ms <= signal.wall_ms + INPUT_FOLLOWS_MS:
                return action
            if how in TYPING:
                continue
            if action.wall_ms < began_ms:
                break
            if action.wall_ms <= ends_ms:
                found = action  # the first of several
        return found

    # What goes wrong.

    def _exception(self, signal: Signal, detail: ExceptionThrown) -> Effect:
        effect = self._failure("error", signal, detail.text)
        self.contexts.failures[signal.browser, signal.session] = effect.node or Node("failure", signal)
        return effect

    def _console(self, signal: Signal, detail: ConsoleCalled) -> Effect | None:
        return self._failure("error", signal, detail.text) if detail.level in CONSOLE_FAILURES else None

    def _busy(self, signal: Signal, detail: Detail) -> Effect:
        return self._failure(detail.kind, signal, "")

    def _selector(self, signal: Signal, detail: SelectorMatches) -> Effect:
        return self._failure("selector", signal, plain(detail.selector))

    def _failure(self, kind: str, signal: Signal, text: str) -> Effect:
        thread = self._thread(signal)
        # A long frame or a hang is told long after, and of all the tasks in it.
        fresh = kind == "error" and signal.wall_ms - thread.context_wall_ms <= CONTEXT_HOLDS_MS
        node = Node("selector" if kind == "selector" else "failure", signal, text)
        node.failed = True
        return self._effect(kind, signal, node, text, thread.context if fresh else None)

    def fails(self, node: Node) -> None:
        """It was told as a failure of its page."""
        self.page(node).failures.append(node)

    # What the pages tell of their tasks.

    def _realm_started(self, signal: Signal, detail: RealmStarted) -> None:
        self.contexts.realm_started(signal, detail)

    def _request_made(self, signal: Signal, detail: RequestMade) -> None:
        request = Request(signal, detail.url)
        self.contexts.nodes[signal.browser, detail.id] = request
        self._thread(signal).asked.append((request, detail.context))

    def _task_fails(self, signal: Signal, detail: TaskFails) -> None:
        thread = self._thread(signal)
        thread.context, thread.context_wall_ms = detail.context, signal.wall_ms

    def _task_navigates(self, signal: Signal, detail: TaskNavigates) -> None:
        page, action = self.page(signal), self._thread(signal).action
        # A form that is sent navigates in a task of its own, of which the page knows nothing.
        if detail.context or not self._is_intended(page, signal, detail.url):
            page.intent = Effect("intent", signal, detail.url, detail.context, action)

    def _element_failed(self, signal: Signal, detail: ElementFailed) -> None:
        for request in reversed(self.page(signal).requests):
            if same_address(request.text, detail.url):
                self.contexts.nodes[signal.browser, detail.id] = request
                self._thread(signal).element = detail.id, signal.wall_ms
                return

    def _element_handled(self, signal: Signal, detail: ElementHandled) -> None:
        thread = self._thread(signal)
        if thread.element is not None and thread.element[0] == detail.id:
            thread.element = None

    def _worker_made(self, signal: Signal, detail: WorkerMade) -> None:
        self.contexts.worker_made(signal, detail)

    def _message_sent(self, signal: Signal, detail: MessageSent) -> None:
        self.contexts.message_sent(signal, detail)

    def _removed(self, signal: Signal, detail: ElementRemoved) -> Effect:
        removal = Removal(signal, detail.selector)
        self.page(signal).removals.append(removal)
        return self._effect("removal", signal, removal, detail.selector, detail.context)

    def _intercepted(self, signal: Signal, detail: FetchIntercepted) -> None:
        for request in islice(reversed(self._requests.values()), LOOKED_AT):
            if request.text == detail.url and request.session != signal.session and not request.answered:
                self.contexts.nodes[signal.browser, detail.id] = request
                return
        self._intercepted_early[signal.browser, detail.url] = detail.id

    def _thread(self, of: Signal) -> Thread:
        key = of.browser, of.session
        thread = self._threads.get(key)
        if thread is None:
            thread = self._threads[key] = Thread()
        return thread

    def _effect(self, kind: str, signal: Signal, node: Node, text: str, context: str | None) -> Effect:
        thread = self._thread(signal)
        return Effect(kind, signal, text, context, thread.action, thread.last, node)


def plain(selector: str) -> str:
    """One spelling of a selector, whoever wrote it."""
    return selector.replace('"', "").replace("'", "").strip()


def selectors_in(text: str) -> list[str]:
    """The ids and attributes that a selector, or a sentence, names."""
    return SELECTOR.findall(plain(text))


def origin_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
