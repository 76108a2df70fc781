"""A CDP session on one target: where commands go, and where signals get their place and order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from ..signal import Detail, Signal, StackFrame
from .connection import COMMAND_TIMEOUT_S, Connection
from .replayed import ReplayHistory

Role = Literal["root", "hub", "frame", "worker", "worklet"]
ROLES: dict[str, Role] = {
    "browser": "hub",
    "tab": "hub",
    "worker": "worker",
    "shared_worker": "worker",
    "service_worker": "worker",
    "worklet": "worklet",
    "shared_storage_worklet": "worklet",
    "auction_worklet": "worklet",
}


class TargetInfo(msgspec.Struct, rename="camel"):
    target_id: str = ""
    type: str = ""
    url: str = ""
    attached: bool = False
    opener_id: str = ""
    can_access_opener: bool = False


class Session:
    """One attached target; the root session (id "") is the browser itself."""

    def __init__(
        self,
        session_id: str,
        info: TargetInfo,
        *,
        browser: str,
        page: str,
        connection: Connection,
        sink: Callable[[Signal], None],
        history: ReplayHistory,
        parent: Session | None = None,
        waiting: bool = False,
    ) -> None:
        self.id = session_id
        self.info = info
        self.browser = browser
        self.page = page
        self.parent = parent
        self.waiting = waiting
        self.history = history
        # DevTools' own windows are pages too; they are let run and left alone.
        known: Role = "hub" if info.url.startswith("devtools://") else ROLES.get(info.type, "frame")
        self.role: Role = known if session_id else "root"
        self._replaying: set[str] = set()
        self.ready = False
        self.crashed = False
        self.dialog_open = False
        self.occupied = 0
        """How many checks of ours keep its main thread busy."""
        self.isolate = ""
        self.order = 0
        self._connection = connection
        self._sink = sink

    def post(
        self, method: str, timeout_s: float = COMMAND_TIMEOUT_S, **params: Any
    ) -> asyncio.Future[msgspec.Raw]:
        """Send a command without waiting for its answer."""
        return self._connection.post(method, params, self.id, timeout_s)

    async def call(self, method: str, timeout_s: float = COMMAND_TIMEOUT_S, **params: Any) -> Any:
        return await self._connection.call(method, params, self.id, timeout_s)

    def enable_replaying(self, domain: str) -> None:
        """Enable a domain that first repeats what it has stored; a target that waits for us has nothing stored."""
        if not self.waiting:
            self._replaying.add(domain)
        self.post(f"{domain}.enable").add_done_callback(lambda _: self._replaying.discard(domain))

    def is_replaying(self, domain: str) -> bool:
        return domain in self._replaying

    def emit(
        self,
        detail: Detail,
        *,
        wall_ms: float = 0.0,
        frame: str = "",
        request_id: str = "",
        loader_id: str = "",
        stack: tuple[StackFrame, ...] = (),
        async_stack: tuple[StackFrame, ...] = (),
        element: str = "",
        replayed: bool = False,
    ) -> None:
        self.order += 1
        self._sink(
            Signal(
                detail=detail,
                browser=self.browser,
                session=self.id,
                order=self.order,
                monotonic_s=time.monotonic(),
                wall_ms=wall_ms or time.time() * 1000,
                target=self.info.target_id,
                target_type=self.info.type,
                page=self.page,
                frame=frame,
                request_id=request_id,
                loader_id=loader_id,
                stack=stack,
                async_stack=async_stack,
                element=element,
                replayed=replayed,
            )
        )
