"""Inspector: crashes of a tab or worker, told once although Chrome says it on two channels, and the reload after one."""

from __future__ import annotations

from typing import Any

from ..cdp.session import Session
from ..domain import Domain, Listener, Params
from ..options import CaptureOptions
from ..signal import Detail


class TargetCrashed(Detail, frozen=True, tag="crash"):
    url: str = ""


class TargetRevived(Detail, frozen=True, tag="crash_reload"):
    url: str = ""


class TargetCrashedParams(Params):
    target_id: str


class InspectorDomain(Domain):
    roles = frozenset({"frame", "worker"})
    details = (TargetCrashed, TargetRevived)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._sessions: dict[str, Session] = {}

    def listen(self) -> list[Listener[Any]]:
        return [
            Listener("Inspector.targetCrashed", Params, self._crashed),
            Listener("Target.targetCrashed", TargetCrashedParams, self._crashed_by_id),
            Listener("Inspector.targetReloadedAfterCrash", Params, self._reloaded),
        ]

    def enable(self, session: Session) -> None:
        self._sessions[session.info.target_id] = session
        if (
            session.info.type != "worker"
        ):  # dedicated workers have no Inspector domain; their page tells their death
            session.post("Inspector.enable")

    def undo(self, session: Session) -> None:
        if session.info.type != "worker":
            session.post("Inspector.disable")

    def forget(self, session: Session) -> None:
        self._sessions.pop(session.info.target_id, None)

    def _crashed_by_id(self, _: Session, params: TargetCrashedParams) -> None:
        if session := self._sessions.get(params.target_id):
            self._crashed(session, params)

    def _crashed(self, session: Session, _: Params) -> None:
        if not session.crashed:
            session.crashed = True
            session.emit(TargetCrashed(session.info.url))

    def _reloaded(self, session: Session, _: Params) -> None:
        session.crashed = False
        session.emit(TargetRevived(session.info.url))
        session.post("Runtime.runIfWaitingForDebugger")
