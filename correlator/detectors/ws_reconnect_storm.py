"""A WebSocket that is opened again and again because none of its connections lasts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from pydantic import Field

from ...observer.domains.network import SocketClosed, SocketOpened
from ...observer.domains.page import Navigated
from ...observer.domains.page_script import UserAction
from ...observer.signal import Signal
from ..findings.finding import context, places
from ..kept import Kept
from ..templates import address_template
from . import detector
from .detector import Detector, Found, Scenes, Told, counted
from .requests import Episodes, lasting
from .windows import KEPT_KEYS, Growth, PageKey, Windows, page_of

KEPT_PAGES = 1_000
KEPT_SOCKETS = 2_000
# Sockets that are opened side by side are opened in one task.
SAME_TASK_S = 0.02
# Chrome may tell that a socket is gone a little later than the page opens the next.
TOLD_LATE_S = 0.1
SHOWN_GAPS = 6


class Options(detector.Options):
    connections: int = Field(default=5, ge=2, description="So many connections one after the other.")
    within_s: float = Field(default=30.0, gt=0, description="Within this time.")
    lived_s: float = Field(default=5.0, gt=0, description="One that lasts so long ends the storm.")


class Socket(NamedTuple):
    opened: Signal
    ended_s: float
    event_id: str
    lived_ms: float


class WsReconnectStorm(Detector[Options]):
    id = "ws_reconnect_storm"
    channel = "anomalies"
    severity = "high"
    about = "A WebSocket is reconnected again and again"
    trigger = (
        "`connections` to one address template within `within_s`, each opened after the one before had ended, none of which lived "
        "`lived_s`"
    )
    source = "proposal"
    options_type = Options
    needs = (SocketOpened, UserAction, Navigated)
    hears = ("websocket_failed", "websocket_closed")

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._open: Kept[tuple[str, str], Signal] = Kept(KEPT_SOCKETS)
        self._failures: Kept[tuple[str, str], str] = Kept(KEPT_SOCKETS)
        self._ended: Windows[tuple[str, ...], Socket] = Windows(options.within_s)
        self._latest: Kept[tuple[str, ...], Socket] = Kept(KEPT_KEYS)
        self._episodes: Episodes[tuple[str, ...]] = Episodes()
        self._growth = Growth()
        self._acted_s: Kept[PageKey, float] = Kept(KEPT_PAGES)
        self._documents: Kept[PageKey, str] = Kept(KEPT_PAGES)

    def see(self, signal: Signal) -> Iterable[Found]:
        match signal.detail:
            case SocketOpened():
                self._open[signal.browser, signal.request_id] = signal
            case UserAction():
                self._acted_s[page_of(signal)] = signal.monotonic_s
            case Navigated(main_frame=True):
                self._documents[page_of(signal)] = signal.loader_id
            case _:
                pass
        return ()

    def hear(self, told: Told) -> Iterable[Found]:
        signal = told.signal
        key = signal.browser, signal.request_id
        if not isinstance(signal.detail, SocketClosed):
            if signal.request_id:
                self._failures[key] = told.event_id
            return
        opened = self._open.pop(key, None)
        event_id = self._failures.pop(key, told.event_id)
        if opened is not None:
            yield from self._ends(
                Socket(opened, signal.monotonic_s, event_id, signal.detail.lived_ms), signal
            )

    def _ends(self, socket: Socket, signal: Signal) -> Iterable[Found]:
        page = page_of(signal)
        template = address_template(url_of(socket))
        key = (*page, self._documents.get(page, ""), template)
        before = self._latest.get(key)
        if socket.lived_ms >= self.options.lived_s * 1_000 or self._is_another(socket, before):
            self._ended.forget(key)
        elif before is not None and not follows(socket, before):
            return
        self._latest[key] = socket
        if socket.lived_ms >= self.options.lived_s * 1_000:
            return
        sockets = [one for _, one in self._ended.add(key, signal.monotonic_s, socket)]
        episode = self._episodes.name(key, signal, begins=len(sockets) == 1)
        if len(sockets) >= self.options.connections and self._growth.is_due(episode, len(sockets)):
            yield self._found(sockets, signal, template, episode)

    def _is_another(self, socket: Socket, before: Socket | None) -> bool:
        """Whether the user went on to something else that has a socket of its own."""
        if before is None or path_of(socket) == path_of(before):
            return False
        acted_s = self._acted_s.get(page_of(socket.opened), 0.0)
        return before.opened.monotonic_s < acted_s <= socket.opened.monotonic_s

    def _found(self, sockets: Sequence[Socket], signal: Signal, template: str, episode: str) -> Found:
        scene = self.scene(signal)
        url = scene.url(template)
        window_ms = (sockets[-1].ended_s - sockets[0].opened.monotonic_s) * 1_000
        longest_ms = max(socket.lived_ms for socket in sockets)
        ended = f"none lived longer than {lasting(longest_ms)}" if longest_ms else "none came about"
        gaps_ms = [max(0, round(gap_ms(one, after))) for one, after in pairwise(sockets)]
        finding = self.finding(
            "high",
            f"WebSocket {url} was opened {len(sockets)} times in {lasting(window_ms)}, and {ended}",
            count=len(sockets),
            template=url,
            url=url,
            window_ms=round(window_ms),
            lived_ms=round(longest_ms),
            gaps_ms=[*gaps_ms[-SHOWN_GAPS:]],
        )
        finding.context |= context(**places(sockets[-1].opened.stack, scene))
        return Found(finding, signal, counted(sockets[0].event_id), episode)


def follows(socket: Socket, before: Socket) -> bool:
    opened_s = socket.opened.monotonic_s
    return opened_s - before.opened.monotonic_s >= SAME_TASK_S and before.ended_s <= opened_s + TOLD_LATE_S


def gap_ms(before: Socket, after: Socket) -> float:
    return (after.opened.monotonic_s - before.ended_s) * 1_000


def url_of(socket: Socket) -> str:
    detail = socket.opened.detail
    return detail.url if isinstance(detail, SocketOpened) else ""


def path_of(socket: Socket) -> str:
    return url_of(socket).partition("?")[0]
