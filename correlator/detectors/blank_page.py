"""A page that shows nothing: a script failed and took everything with it, or nothing ever came."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pydantic import Field, JsonValue

from ...observer.domains.network import RequestFailed, ResponseReceived
from ...observer.domains.page import Navigated, NavigatedWithin
from ...observer.domains.page_script import BodyEmptied, BodyEmpty
from ...observer.signal import Signal
from ..event import Cause, Severity
from ..findings.finding import said
from ..kept import Kept
from . import detector
from .detector import Detector, Found, Scenes, Told, comes_after
from .failures import LOGGED, NOT_LOADED, UNCAUGHT
from .windows import PageKey, page_of

KEPT_PAGES = 300
KEPT_FAILURES = 50
# The page script counts its elements four times a second.
COUNTED_LATE_MS = 300.0
# How far from the address's change a view is replaced by another.
VIEW_CHANGES_MS = 1_000.0
SURE_OF_DOCUMENT, SURE_OF_EXCEPTION, SURE_OF_OTHERS = 0.9, 0.75, 0.6


class Options(detector.Options):
    within_s: float = Field(
        default=2.0, gt=0, description="How long before the page was emptied the failure may have been."
    )
    beside_s: float = Field(
        default=0.5, gt=0, description="The same for an exception where something else is shown now."
    )
    unexplained: bool = Field(
        default=True, description="Whether a page that is empty after its load is told though nothing failed."
    )


class Document:
    """What failed on a page since its document came, and when it last showed another view."""

    __slots__ = ("failures", "view_ms")

    def __init__(self, failures: Iterable[Told] = ()) -> None:
        self.failures: deque[Told] = deque(failures, maxlen=KEPT_FAILURES)
        self.view_ms = float("-inf")


class BlankPage(Detector[Options]):
    """Every router empties a page to show another view, so a page that lost its elements is blank only beside a failure, and one
    that shows something in their place only right after an exception at the same address.
    """

    id = "blank_page"
    channel = "anomalies"
    severity = "critical or medium"
    about = "A page shows nothing, or lost nearly all that it showed."
    trigger = (
        "70 % of the elements gone at once and not back a second later, at most `within_s` after a failure (`beside_s` after an "
        "exception if there is something to see); or nothing to see 3 s after the load: critical if something failed, else medium."
    )
    source = "OpenReplay; the empty page is an own proposal"
    options_type = Options
    needs = (BodyEmptied, BodyEmpty, Navigated, NavigatedWithin)
    hears = (*LOGGED, *NOT_LOADED, *UNCAUGHT)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._documents: Kept[PageKey, Document] = Kept(KEPT_PAGES)

    def hear(self, told: Told) -> Iterable[Found]:
        if not told.signal.replayed and told.signal.target_type == "page":
            self._document(told.signal).failures.append(told)
        return ()

    def see(self, signal: Signal) -> Iterable[Found]:
        match signal.detail:
            case Navigated(main_frame=True):
                mine = [one for one in self._document(signal).failures if loads(one, signal)]
                self._documents[page_of(signal)] = Document(mine)
            case NavigatedWithin():
                self._document(signal).view_ms = signal.wall_ms
            case BodyEmptied() as detail:
                yield from self._emptied(signal, detail)
            case BodyEmpty() as detail:
                yield from self._empty(signal, detail)
            case _:
                pass

    def _emptied(self, signal: Signal, detail: BodyEmptied) -> Iterable[Found]:
        document = self._document(signal)
        within_ms = (self.options.beside_s if detail.shows else self.options.within_s) * 1000
        recent = [
            one
            for one in document.failures
            if -COUNTED_LATE_MS <= signal.wall_ms - one.signal.wall_ms <= within_ms + COUNTED_LATE_MS
        ]
        if detail.shows:
            if abs(signal.wall_ms - document.view_ms) <= VIEW_CHANGES_MS:
                return
            recent = [one for one in recent if one.finding.kind in UNCAUGHT]
        if not recent:
            return
        gone = detail.before - detail.left
        now = "something else is shown" if detail.shows else "it shows nothing any more"
        yield self._found(
            signal,
            "critical",
            f"The page lost {gone} of its {detail.before} elements at once and {now}",
            first_cause(recent),
            {"before": detail.before, "left": detail.left},
        )

    def _empty(self, signal: Signal, detail: BodyEmpty) -> Iterable[Found]:
        failures = self._document(signal).failures
        cause = first_cause(failures)
        has_app = detail.elements > 0 and detail.scripts > 0
        if cause is None and not (self.options.unexplained and has_app):
            return
        yield self._found(
            signal,
            "critical" if cause else "medium",
            f"The page shows nothing {detail.after_ms / 1000:g} s after it was loaded",
            cause,
            {"after_ms": detail.after_ms, "elements": detail.elements},
        )

    def _found(
        self,
        signal: Signal,
        severity: Severity,
        summary: str,
        cause: tuple[Told, float] | None,
        evidence: dict[str, JsonValue],
    ) -> Found:
        scene = self.scene(signal)
        because: Cause | None = None
        if cause is not None:
            told, confidence = cause
            because = comes_after(told.event_id, confidence)
            summary = f"{summary}, after: {said(told.finding.summary, 100)}"
        finding = self.finding(severity, summary, template=summary, url=scene.url(scene.page_url))
        finding.context |= evidence
        return Found(finding, signal, because)

    def _document(self, signal: Signal) -> Document:
        document = self._documents.get(page_of(signal))
        if document is None:
            document = self._documents[page_of(signal)] = Document()
        return document


def first_cause(failures: Iterable[Told]) -> tuple[Told, float] | None:
    """The document itself, else the first exception, else the first that failed; and how sure that is."""
    told = list(failures)
    for fits, confidence in (
        (is_document, SURE_OF_DOCUMENT),
        (is_exception, SURE_OF_EXCEPTION),
        (bool, SURE_OF_OTHERS),
    ):
        found = next((one for one in told if fits(one)), None)
        if found is not None:
            return found, confidence
    return None


def is_document(told: Told) -> bool:
    detail = told.signal.detail
    return isinstance(detail, ResponseReceived | RequestFailed) and detail.type == "Document"


def is_exception(told: Told) -> bool:
    return told.finding.kind in UNCAUGHT


def loads(told: Told, navigation: Signal) -> bool:
    """Whether it is the request of the document that is shown now."""
    return bool(told.signal.request_id) and told.signal.request_id == navigation.loader_id
