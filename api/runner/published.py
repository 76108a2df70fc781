"""What the test runner's reporter says, as events: linked to what the browser of that test has told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from ...correlator.redact import Redactor
from ..errors import RequestRefused
from ..publishing import event_of
from ..wire import Publication
from .hooked import Told
from .linking import cause_of_failure
from .log import Log
from .observed import Browser

OUTCOMES: Final = {"passed": "test.passed", "failed": "test.failed", "skipped": "test.skipped"}
MAX_TEXT: Final = 300
PARTS: Final = re.compile(
    r"^(?:(?P<name>Locator|Expected|Received)(?: \w+)?: +(?P<value>\S.*)| +- waiting for (?P<waited>\S.*))$",
    re.MULTILINE,
)
CSS: Final = re.compile(r"""^locator\((['"])(?P<css>.+)\1\)$""")


class Published:
    """`take` what the reporter says, in its order."""

    def __init__(
        self, log: Log, browser_of: Callable[[str], Browser | None], project: str, redactor: Redactor
    ) -> None:
        self._log = log
        self._browser_of = browser_of
        self._project = project
        self._redactor = redactor
        self._started: dict[tuple[str, int], str] = {}

    def take(self, told: Told) -> None:
        browser = self._browser_of(told.worker)
        run = told.test_id, told.retry
        if told.what == "started":
            self._started[run] = iso(told.at_ms)
        for publication in publications(told):
            try:
                self._tell(publication, browser, self._started.get(run, ""))
            except RequestRefused:  # it says too much: a test's name may have any length
                continue

    def _tell(self, publication: Publication, browser: Browser | None, since: str) -> None:
        observation = browser.observation if browser is not None else None
        if browser is None or observation is None:
            self._log.tell_of_test(event_of(publication, self._project, "", self._redactor))
            return
        event = event_of(publication, self._project, observation.session, self._redactor)
        if event.severity != "info":
            seen = browser.since(since)
            pages = [one.page for one in seen if one.page]
            selector = str(event.context.get("selector") or "")
            cause = cause_of_failure(selector, seen)
            event = event.model_copy(update={"page": pages[-1] if pages else "", "cause": cause})
        for one in observation.join(event):
            tell = self._log.tell_of_test if one.id == event.id else self._log.tell
            tell(one)


def publications(told: Told) -> Iterator[Publication]:
    about: dict[str, Any] = {"test": cut(told.test), "test_id": told.test_id, "at": told.at}
    at = iso(told.at_ms)
    if told.what == "started":
        yield Publication("runs", "test.started", f"{cut(told.test)} started", context=about, timestamp=at)
    elif told.what == "step":
        yield Publication("runs", "step", cut(told.title) or "step", context=about, timestamp=at)
    elif told.what in OUTCOMES:
        for error in told.errors:
            place = {"at": error.line} if error.line else {}
            context = {**about, **place, **parts_of(error.message)}
            summary = cut(error.message.partition("\n")[0]) or "the test failed"
            yield Publication("errors", "assertion_failed", summary, "high", context=context, timestamp=at)
        more = {"duration_ms": round(told.ms), "status": told.status, "retry": told.retry}
        yield Publication(
            "runs",
            OUTCOMES[told.what],
            f"{cut(told.test)} {told.what} after {told.ms:.0f} ms",
            "high" if told.what == "failed" else "info",
            context={**about, **more},
            timestamp=at,
        )


def parts_of(message: str) -> dict[str, str]:
    """What Playwright says in lines of their own: which element, what was expected and what was there."""
    found: dict[str, str] = {}
    for line in PARTS.finditer(message):
        name = (line["name"] or "locator").lower()
        found.setdefault(name, cut(line["value"] or line["waited"]))
    if css := CSS.match(found.get("locator", "")):
        found["selector"] = css["css"]
    return found


def iso(at_ms: float) -> str:
    try:
        return (
            datetime.fromtimestamp(at_ms / 1000, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
    except (ValueError, OverflowError, OSError):
        return ""


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
