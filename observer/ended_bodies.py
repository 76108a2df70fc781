"""The latest requests whose bodies have ended: only theirs are asked for, because Chrome never answers for one that was not read."""

from __future__ import annotations

from .domains.network import RequestFinished
from .signal import Signal

KEPT_REQUESTS = 2_000


class EndedBodies:
    """`take` every signal. Start and end of a request may come in different sessions; the end's has the body."""

    def __init__(self) -> None:
        self._session_of: dict[str, str] = {}

    def take(self, signal: Signal) -> None:
        if type(signal.detail) is not RequestFinished:
            return
        self._session_of[signal.request_id] = signal.session
        if len(self._session_of) > KEPT_REQUESTS:
            del self._session_of[next(iter(self._session_of))]

    def session_of(self, request_id: str) -> str:
        """The id of the session that can be asked, "" if there is none."""
        return self._session_of.get(request_id, "")
