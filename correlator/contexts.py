"""Whose task it is: resolves the contexts that pages tell to the action, request, document or worker that they belong to."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..observer.domains.tasks import MessageSent, RealmStarted, WorkerMade
from ..observer.signal import Signal
from .kept import Kept
from .nodes import Document, Node

KEPT_CONTEXTS = 10_000
MAX_HOPS = 12
# A port that went to a worker (p) or came from one (q), by the message that it went with: as the page names it, with the worker,
# and as the worker does, by its own realm.
PORT = re.compile(r"(\w+):(w\d+)?([pq]\d+_\d+)")


class Origin(NamedTuple):
    """Where a task comes from, and the hops in between: timers (`t`), an interval's tick (`i3.12`), messages (`m`; from another
    site `x`), a worker that does what it does by itself (`alone`).
    """

    node: Node
    hops: tuple[str, ...] = ()

    @property
    def tick(self) -> str:
        """The interval and its tick, `i3.12`, if there is one on the way."""
        return next((hop for hop in self.hops if hop[:1] == "i"), "")


class Contexts:
    """All contexts of all browsers; ids are unique within one."""

    def __init__(self) -> None:
        self.nodes: Kept[tuple[str, str], Node] = Kept(KEPT_CONTEXTS)
        self.documents: Kept[tuple[str, str], Document] = Kept(KEPT_CONTEXTS)
        self.failures: Kept[tuple[str, str], Node] = Kept(KEPT_CONTEXTS)
        self._realms: Kept[tuple[str, str], tuple[str, str]] = Kept(KEPT_CONTEXTS)
        self._workers: Kept[tuple[str, str], tuple[str, str]] = Kept(KEPT_CONTEXTS)
        self._worker_ids: Kept[tuple[str, str], str] = Kept(KEPT_CONTEXTS)
        self._unopened: Kept[tuple[str, str], WorkerMade] = Kept(100)
        self._messages: Kept[tuple[str, str, int], str] = Kept(KEPT_CONTEXTS)
        self._marked_sessions: Kept[tuple[str, str], None] = Kept(KEPT_CONTEXTS)

    def realm_started(self, signal: Signal, detail: RealmStarted) -> None:
        self._realms[signal.browser, detail.realm] = signal.session, signal.frame
        self._marked_sessions[signal.browser, signal.session] = None

    def is_marked(self, signal: Signal) -> bool:
        """Whether the pages of this session tell their tasks."""
        return (signal.browser, signal.session) in self._marked_sessions

    def worker_made(self, signal: Signal, detail: WorkerMade) -> None:
        self._workers[signal.browser, detail.id] = "", detail.context
        self._unopened[signal.browser, detail.id] = detail

    def worker_opened(self, signal: Signal, url: str) -> None:
        """The target of a worker: the oldest one of that address that was made and has none yet."""
        for browser, worker_id in list(self._unopened):
            made = self._unopened[browser, worker_id]
            if browser == signal.browser and same_address(url, made.url):
                del self._unopened[browser, worker_id]
                self._workers[browser, worker_id] = signal.session, made.context
                self._worker_ids[browser, signal.session] = worker_id
                return

    def worker_asked(self, browser: str, url: str) -> str:
        """The context in which a worker was made whose script this is."""
        return next(
            (
                made.context
                for (at, _), made in self._unopened.items()
                if at == browser and same_address(url, made.url)
            ),
            "",
        )

    def message_sent(self, signal: Signal, detail: MessageSent) -> None:
        channel = f"out {signal.session}" if detail.channel == "out" else detail.channel
        if port := PORT.fullmatch(channel):
            channel = self._port(signal.browser, port, own=True)
        self._messages[signal.browser, channel, detail.number] = detail.context

    def origin(self, browser: str, context: str) -> Origin | None:
        """What the task belongs to; None if that is not known (any more)."""
        return self._resolved(browser, context)[0]

    def is_unheard(self, browser: str, context: str) -> bool:
        """Whether it leads to something that we have not heard of yet: threads tell what they do in no common order."""
        origin, missing = self._resolved(browser, context)
        return origin is None and bool(missing)

    def _resolved(self, browser: str, context: str) -> tuple[Origin | None, str]:
        """The origin, or the context that is not known."""
        hops: list[str] = []
        for _ in range(MAX_HOPS):
            base, *more = context.split("~")
            hops += more
            if not base:
                break
            node = self.nodes.get((browser, base)) or self._document(browser, base)
            if node is not None:
                if base.partition(":")[2][:1] == "x":
                    hops.append("x")
                return Origin(node, tuple(hops)), ""
            if base.endswith(".e"):
                session = self._workers.get((browser, base[:-2]), ("", ""))[0]
                failure = self.failures.get((browser, session)) if session else None
                return (Origin(failure, tuple(hops)), "") if failure else (None, base)
            sender = self._sender(browser, base)
            if sender is None:
                return None, base
            context = sender
            hops.append("alone" if self._is_alone(browser, base) else "m")
        return None, ""

    def _document(self, browser: str, base: str) -> Document | None:
        if not base.endswith(":0"):
            return None
        _, frame = self._realms.get((browser, base[:-2]), ("", ""))
        return self.documents.get((browser, frame)) if frame else None

    def _sender(self, browser: str, base: str) -> str | None:
        """The context in which the message that started this task was sent, or the worker itself was made; None if unheard of."""
        realm, _, own = base.partition(":")
        session, _ = self._realms.get((browser, realm), ("", ""))
        worker_id = self._worker_ids.get((browser, session), "")
        if own == "0":
            made = self._workers.get((browser, worker_id))
            return made[1] if made is not None else None
        if own[:1] == "m" and own[1:].isdecimal():
            return self._messages.get((browser, worker_id, int(own[1:])))
        worker, _, number = base.rpartition(".")
        if port := PORT.fullmatch(worker):
            return self._messages.get((browser, self._port(browser, port, own=False), int(number)))
        if (browser, worker) in self._workers and number.isdecimal():
            return self._messages.get((browser, f"out {self._workers[browser, worker][0]}", int(number)))
        return None

    def _is_alone(self, browser: str, base: str) -> bool:
        """Whether it is a worker's own doing: nothing was ever sent to it."""
        session, _ = self._realms.get((browser, base.removesuffix(":0")), ("", ""))
        worker_id = self._worker_ids.get((browser, session), "")
        return base.endswith(":0") and (browser, worker_id, 0) not in self._messages

    def _port(self, browser: str, port: re.Match[str], *, own: bool) -> str:
        """One name for what goes through a port in one direction: sent by its own side, or by the other one."""
        realm, worker, place = port.groups()
        session, _ = self._realms.get((browser, realm), ("", ""))
        worker_id = f"{realm}:{worker}" if worker else self._worker_ids.get((browser, session), "")
        return f"{worker_id} {place} {'from' if (worker is None) == own else 'to'}"


def same_address(url: str, given: str) -> bool:
    """Whether a page that wrote `given` may have meant `url`."""
    if url == given:
        return True
    tail = given.partition("#")[0].lstrip("./")
    while tail.startswith("../"):
        tail = tail[3:]
    return bool(tail) and url.partition("#")[0].endswith(tail)
