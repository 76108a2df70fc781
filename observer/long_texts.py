"""The latest console texts that were too long for a signal, within bounds of their own."""

from __future__ import annotations

from collections import OrderedDict

KEPT_TEXTS = 200
KEPT_CHARS = 8 << 20
MAX_TEXT_CHARS = 1 << 20


class LongTexts:
    """By session and order of the signal that has the short form."""

    def __init__(self) -> None:
        self._texts: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._chars = 0

    def keep(self, session_id: str, order: int, text: str) -> None:
        self._texts[session_id, order] = text
        self._chars += len(text)
        while len(self._texts) > KEPT_TEXTS or self._chars > KEPT_CHARS:
            _, gone = self._texts.popitem(last=False)
            self._chars -= len(gone)

    def get(self, session_id: str, order: int) -> str:
        return self._texts.get((session_id, order), "")
