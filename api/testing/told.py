"""What a failing test is told: its first cause, where it failed, and the chain between the two, in at most 25 lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...correlator.explanation import PROVEN, Explanation, Step
from ...correlator.findings.finding import cut, said
from .failure import SELECTOR_KINDS, Failure

MAX_LINES: Final = 25
MAX_LINE_BYTES: Final = 300
MAX_VALUE_BYTES: Final = 160
MAX_PROPERTY_BYTES: Final = 500
# They say how the test failed, not why.
SYMPTOMS: Final = SELECTOR_KINDS | {"assertion_failed"}


class Report(NamedTuple):
    """`first_cause` in one line, all of it as `text`, and the same as pairs for JUnit."""

    first_cause: str
    text: str
    properties: tuple[tuple[str, str], ...]


def report(
    failure: Failure,
    explanation: Explanation,
    *,
    at: str = "",
    page: str = "",
    url: str = "",
    more: Sequence[str] = (),
) -> Report:
    """`more` are lines that others want to add: they stand behind the cause, and are never cut."""
    cause, is_sure = first_cause(failure, explanation)
    is_likely = _step_of_cause(explanation) is not None or failure.kind == "selector_missing"
    lead = "First cause" if is_sure else "Likely cause" if is_likely else "No cause seen"
    head = [f"{lead}: {cause}", *(cut(line, MAX_LINE_BYTES) for line in more)]
    failed = f"Failed at {at}: {_failed(failure)}" if at else f"Failed: {_failed(failure)}"
    where = f"Page: {' '.join(part for part in (said(url, MAX_VALUE_BYTES), f'({page})' if page else '') if part)}"
    head += [cut(failed, MAX_LINE_BYTES), *([where] if url or page else [])]
    chain = explanation.text.splitlines()
    kept = max(0, MAX_LINES - len(head))
    if len(chain) > kept:
        chain = [*chain[: kept - 1], f"… {len(chain) - kept + 1} more lines"]
    text = "\n".join([*head[:MAX_LINES], *chain])
    return Report(cause, text, _properties(failure, explanation, cause, at, page, url))


def first_cause(failure: Failure, explanation: Explanation) -> tuple[str, bool]:
    """In one line, and whether every link that leads from it to the failure is proven."""
    if failure.kind == "selector_blocked" and not _proven_step(explanation):
        return _blocked(failure), True
    step = _step_of_cause(explanation)
    if step is not None:
        event = step.event
        at = str(event.context.get("at") or "")
        place = f" at {at}" if at and at not in event.summary else ""
        behind = [one for one in explanation.steps if one.number > step.number]
        return cut(f"{event.summary}{place}", MAX_LINE_BYTES), all(one.confidence >= PROVEN for one in behind)
    return _unknown(failure), failure.kind in {"selector_ambiguous", "selector_invalid", "selector_stale"}


def _step_of_cause(explanation: Explanation) -> Step | None:
    """The first failure on the way, or the fact that stands for one: a navigation, a request without an answer."""
    before = [step for step in explanation.steps if step.event.id != explanation.event.id]
    failed = [step for step in before if step.event.severity != "info" and step.event.kind not in SYMPTOMS]
    if failed:
        return failed[0]
    facts = [step for step in before if step.event.kind not in SYMPTOMS and step.event.type != "run"]
    return facts[-1] if facts else None


def _proven_step(explanation: Explanation) -> Step | None:
    step = _step_of_cause(explanation)
    behind = [one for one in explanation.steps if step is not None and one.number > step.number]
    return step if behind and min(one.confidence for one in behind) >= 0.7 else None


def _blocked(failure: Failure) -> str:
    what = said(failure.locator or failure.resolved, MAX_VALUE_BYTES)
    if failure.overlay:
        return f"{said(failure.overlay, MAX_VALUE_BYTES)} covers {what}"
    return f"{what} can't be used: {said(failure.reason, MAX_VALUE_BYTES) or 'it is not ready'}"


def _unknown(failure: Failure) -> str:
    locator = said(failure.locator, MAX_VALUE_BYTES)
    if failure.kind == "selector_missing":
        return f"{locator or 'the locator'} finds nothing, and nothing failed on the page: renamed?"
    if failure.kind == "selector_ambiguous":
        return f"{locator} finds {failure.matches} elements"
    if failure.kind == "selector_invalid":
        return f"{locator} is no valid selector"
    if failure.kind == "selector_stale":
        return f"{locator or 'the element'} is not in the page any more"
    return "nothing failed on the page while this test ran"


def _failed(failure: Failure) -> str:
    """`Locator expected to have text 'Hi': locator("h1") has 'Hello'`"""
    locator = said(failure.locator, MAX_VALUE_BYTES)
    parts = [said(failure.headline, MAX_VALUE_BYTES).rstrip(".")]
    if locator and locator not in parts[0]:
        parts.append(locator)
    if failure.received:
        parts.append(f"got {said(failure.received, MAX_VALUE_BYTES)!r}")
    return ", ".join(parts)


def _properties(
    failure: Failure, explanation: Explanation, cause: str, at: str, page: str, url: str
) -> tuple[tuple[str, str], ...]:
    step = _step_of_cause(explanation)
    pairs = {
        "cause": cause,
        "cause_kind": step.event.kind if step is not None else "",
        "kind": failure.kind,
        "locator": failure.locator,
        "expected": failure.expected,
        "received": failure.received,
        "overlay": failure.overlay,
        "at": at,
        "page": page,
        "url": url,
        "chain": explanation.chain,
    }
    return tuple(
        (f"firstcause.{name}", said(value, MAX_PROPERTY_BYTES)) for name, value in pairs.items() if value
    )
