"""The selectors that one browser's pages watch, and what each of them finds there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..observer.cdp.targets import TargetClosed
from ..observer.domains.page import Navigated
from ..observer.domains.page_script import SelectorMatches
from ..observer.signal import Signal

MAX_KEPT = 10_000
# Of several frames the one where a selector finds most speaks for the page.
STATES = ("healthy", "blocked", "stale", "ambiguous", "missing", "invalid")


TAKEN = frozenset({SelectorMatches, Navigated, TargetClosed})


@dataclass(frozen=True, slots=True)
class Found:
    """What a selector finds on a page."""

    selector: str
    state: str
    count: int


class Watched:
    """`take` every signal; `selectors` are in the order in which they were given."""

    def __init__(self, selectors: Iterable[str] = ()) -> None:
        self.selectors = tuple(dict.fromkeys(selectors))
        self._found: dict[tuple[str, str, str], Found] = {}

    def set(self, selectors: Iterable[str]) -> None:
        self.selectors = tuple(dict.fromkeys(selectors))
        self._found = {key: found for key, found in self._found.items() if found.selector in self.selectors}

    def take(self, signal: Signal) -> None:
        detail = signal.detail
        if type(detail) not in TAKEN:
            return
        if isinstance(detail, SelectorMatches):
            if len(self._found) < MAX_KEPT and detail.selector in self.selectors:
                found = Found(detail.selector, detail.state, max(0, detail.count))
                self._found[signal.page, signal.frame, detail.selector] = found
        elif isinstance(detail, Navigated) and self._found:
            self._forget(signal.page, "" if detail.main_frame else signal.frame)
        elif isinstance(detail, TargetClosed) and detail.type == "page":
            self._forget(signal.page)

    def on(self, page: str) -> Iterator[Found]:
        for selector in self.selectors:
            found = [
                each for key, each in self._found.items() if key[0] == page and each.selector == selector
            ]
            if found:
                yield min(found, key=lambda each: STATES.index(each.state))

    def _forget(self, page: str, frame: str = "") -> None:
        """All of the page, or of one frame of it."""
        gone = [key for key in self._found if key[0] == page and frame in {"", key[1]}]
        for key in gone:
            del self._found[key]
