"""A recorder of raw CDP that shares no code with the observer: what it takes down is the truth that the observer is measured by."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

ENABLED = ("Network", "Inspector", "Page", "Runtime", "Log")
RECORDED = frozenset(
    {
        "Runtime.exceptionThrown",
        "Runtime.exceptionRevoked",
        "Runtime.consoleAPICalled",
        "Log.entryAdded",
        "Network.requestWillBeSent",
        "Network.responseReceived",
        "Network.loadingFailed",
        "Network.webSocketCreated",
        "Network.webSocketFrameError",
        "Inspector.targetCrashed",
    }
)


class Fact(NamedTuple):
    method: str
    params: dict[str, Any]
    session: str
    target: dict[str, Any]


class RawRecorder:
    """Attaches to every target of the browser before its first script, and keeps each fact as it came."""

    def __init__(self, on_fact: Callable[[], None] = lambda: None) -> None:
        self.facts: list[Fact] = []
        self._on_fact = on_fact
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._targets: dict[str, dict[str, Any]] = {}
        self._set_up: dict[str, asyncio.Future[None]] = {}

    async def start(self, ws_url: str) -> Self:
        self._socket: ClientConnection = await connect(ws_url, proxy=None, max_size=None)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        await self._auto_attach("")
        return self

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Close, once every target has answered: what it told before has then arrived. The crashed never answer."""
        crashed = {fact.session for fact in self.facts if fact.method == "Inspector.targetCrashed"}
        answers = [self._post("Runtime.getIsolateId", session) for session in self._targets.keys() - crashed]
        await asyncio.wait(answers, timeout=timeout_s)
        await self._socket.close()
        self._outgoing.put_nowait("")
        await asyncio.wait(self._tasks)

    async def knows(self, target: str) -> None:
        """The target is attached and set up."""
        while target not in self._set_up:
            await asyncio.wait([self._post("Target.getTargets", "")])
        await asyncio.wait([self._set_up[target]])

    def _auto_attach(self, session: str) -> asyncio.Future[None]:
        # The browser's own surfaces are nobody's page, and service workers come from the root alone: elsewhere they come thrice.
        left_out = ["browser", "browser_ui", "tab", *(["service_worker"] if session else [])]
        chosen = [{"type": kind, "exclude": True} for kind in left_out] + [{}]
        return self._post(
            "Target.setAutoAttach",
            session,
            autoAttach=True,
            waitForDebuggerOnStart=True,
            flatten=True,
            filter=chosen,
        )

    def _post(self, method: str, session: str, **params: Any) -> asyncio.Future[None]:
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        command = {"id": number, "method": method, "params": params} | (
            {"sessionId": session} if session else {}
        )
        self._outgoing.put_nowait(json.dumps(command))
        return answer

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while frame := await self._outgoing.get():
                await self._socket.send(frame)

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._socket:
                message = json.loads(frame)
                if answer := self._answers.pop(message.get("id", 0), None):
                    if not answer.done():
                        answer.set_result(None)
                elif "method" in message:
                    self._take(message["method"], message.get("params", {}), message.get("sessionId", ""))

    def _take(self, method: str, params: dict[str, Any], session: str) -> None:
        if method == "Target.attachedToTarget":
            self._attached(params["sessionId"], params["targetInfo"])
        elif method == "Target.detachedFromTarget":
            self._targets.pop(params["sessionId"], None)
        elif method in RECORDED:
            self.facts.append(Fact(method, params, session, self._targets.get(session, {})))
            self._on_fact()

    def _attached(self, session: str, target: dict[str, Any]) -> None:
        self._targets[session] = target
        self._auto_attach(session)
        for domain in ENABLED:
            self._set_up[target["targetId"]] = self._post(f"{domain}.enable", session)
        # A popup that reaches its opener runs as soon as any client releases it, and two that do so at once can freeze it.
        if not target.get("canAccessOpener"):
            self._post("Runtime.runIfWaitingForDebugger", session)
