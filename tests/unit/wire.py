"""An observer's socket without a browser: literal frames go in, signals and commands come out."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from firstcause.observer.cdp.connection import Connection, Intake
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Signal

RECORDED = Path(__file__).parent.parent / "recorded"
WAIT_S = 10.0  # how long a test waits for what must happen; never how long one takes


class Wire:
    """Stands in for picows' transport: keeps what is sent and answers every command at once, unless told to be silent."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.connection = Connection(intake)
        self.connection.on_ws_connected(self)  # type: ignore[arg-type]
        self.observer: Observer
        self.sent: list[dict[str, Any]] = []
        self.signals: list[Signal] = []
        self.answers: dict[str, dict[str, Any]] = {"Runtime.getIsolateId": {"id": "one"}}
        self.silent: set[tuple[str, str]] = set()
        self.events = 0
        self.on_command: Callable[[dict[str, Any]], None] = lambda _: None
        self._changed = asyncio.Event()

    def send(self, _: Any, message: bytes) -> None:
        command = json.loads(message)
        self.sent.append(command)
        if (command["method"], command.get("sessionId", "")) not in self.silent:
            self.answer(command)
        self.on_command(command)
        self._changed.set()

    def answer(self, command: dict[str, Any]) -> None:
        result = self.answers.get(command["method"], {})
        self.raw(
            json.dumps(
                {"id": command["id"], "result": result, "sessionId": command.get("sessionId", "")}
            ).encode()
        )

    def disconnect(self, *, graceful: bool = True) -> None:
        self.connection.on_ws_disconnected(self)  # type: ignore[arg-type]

    def take_signal(self, signal: Signal) -> None:
        self.signals.append(signal)
        self._changed.set()

    def raw(self, frame: bytes) -> None:
        self.intake.take(frame, self.connection._answer)

    def event(self, method: str, params: dict[str, Any] | None = None, session: str = "S1") -> None:
        frame = {"method": method, "params": params or {}, **({"sessionId": session} if session else {})}
        self.events += 1
        self.raw(json.dumps(frame, separators=(",", ":")).encode())

    def attach(
        self, session: str = "S1", kind: str = "page", *, waiting: bool = False, parent: str = "", **info: Any
    ) -> None:
        target = {
            "targetId": f"T-{session}",
            "type": kind,
            "title": "",
            "url": "http://a/",
            "attached": True,
            **info,
        }
        self.event(
            "Target.attachedToTarget",
            {"sessionId": session, "targetInfo": target, "waitingForDebugger": waiting},
            session=parent,
        )

    def detach(self, session: str = "S1") -> None:
        self.event("Target.detachedFromTarget", {"sessionId": session}, session="")

    def methods(self, session: str = "S1") -> list[str]:
        return [command["method"] for command in self.sent if command.get("sessionId", "") == session]

    def told(self, session: str | None = None) -> list[Signal]:
        """Everything but the coming and going of targets."""
        about_targets = ("target_opened", "target_closed")
        return [s for s in self.signals if s.kind not in about_targets and session in {None, s.session}]

    @property
    def details(self) -> list[Any]:
        return [signal.detail for signal in self.told()]

    def last(self) -> Signal:
        return self.told()[-1]

    async def until(self, happened: Callable[[], Any]) -> Any:
        """Waits for what `happened` finds, looking again whenever a command or a signal passed."""
        async with asyncio.timeout(WAIT_S):
            while not (found := happened()):
                self._changed.clear()
                await self._changed.wait()
            return found

    async def signal(self, kind: str) -> Signal:
        return await self.until(lambda: next((s for s in self.signals if s.kind == kind), None))


@asynccontextmanager
async def observing(options: CaptureOptions | None = None) -> AsyncIterator[Wire]:
    """An observer that started, with nothing attached yet."""
    wires: list[Wire] = []

    async def open_wire(_: str, intake: Intake, timeout_s: float = 5.0) -> Connection:
        wires.append(Wire(intake))
        return wires[0].connection

    async def nowhere() -> str:
        return "ws://nowhere"

    def sink(signal: Signal) -> None:
        wires[0].take_signal(signal)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "open", open_wire)
        async with Observer(nowhere, sink, options) as observer:
            wires[0].observer = observer
            yield wires[0]


def recorded(name: str = "mixed") -> list[bytes]:
    """The frames of a session with a real Chromium, in the order of their arrival."""
    with gzip.open(RECORDED / f"{name}.ndjson.gz") as frames:
        return frames.read().splitlines()
