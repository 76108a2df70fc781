"""Heals a locator: finds which step of it broke, which element was meant, and how to ask for that one and no other.

Whoever can't be sure changes nothing: a failed request behind a missing element is the cause, and the selector is right.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from ...correlator.event import Event
from ...correlator.redact import BUILT_IN, Redactor
from ...correlator.selectors.ranking import Ranked
from ...correlator.selectors.wording import called
from ...observer.asked_selector import parsed
from ...observer.cdp.session import Session
from ...observer.errors import CommandFailed, UnknownPage
from ...observer.fingerprint import NOTHING, Fingerprint
from ...observer.locating import Looked, count_of_role, look
from ..observation import Observation
from .absence import cause_of_absence, suspects
from .asked_for import asks_for_text, page_steps, verb
from .broken_part import Part, broken_part
from .healed import Broken, HealedKind, Healing, Replacement
from .locators import BadLocator, Step, read, written
from .meant import is_another, is_same, meant
from .ways import Way, ways

SURE: Final = 0.8
"""How like what the selector says an element has to be to be put into a test."""
REMEMBERED_SURE: Final = 0.6
"""The same where it is known what the element was. With the margin that was right in 236 of 236 random changes of the
pages of bench/selectors.py, and with half of it in 260 of 263.
"""
SUSPECTED: Final = 0.1
"""So much more is asked for where something failed on the page that may have to do with it."""
TOLD: Final = 0.5
MARGIN: Final = 0.2
MAX_WAYS: Final = 3


async def heal(
    observation: Observation,
    broken: Broken,
    *,
    events: Sequence[Event] = (),
    failure: str = "",
    was: Fingerprint = NOTHING,
    neighbours: Sequence[Fingerprint] = (),
    redactor: Redactor = BUILT_IN,
) -> Healing:
    """Raises nothing for what a page or a test may be. `events` are those of the test's window, `failure` is the id of its assertion
    among them; `was` is the element as it was when the locator last found it, `neighbours` what other locators found then.
    """
    try:
        if (why := _why_right(broken)) is not None:
            return replace(why, why_not=redactor.text(why.why_not))
        if (absence := cause_of_absence(events, failure)) is not None:
            lead = "the cause is" if absence.is_sure else "the likely cause is"
            why_not = f"{lead} {redactor.text(absence.cause.summary)}"
            return Healing("selector_missing", broken.locator, why_not=why_not, cause=absence.cause)
        session = observation.observer.session_of(broken.page)
        suspected = [redactor.text(event.summary) for event in suspects(events, broken.page)]
        found = await _healed(session, broken, was, neighbours, suspected, redactor)
        return replace(found, why_not=redactor.text(found.why_not))
    except BadLocator as bad:
        why_not = bad.message
    except UnknownPage:
        why_not = "its page is closed"
    except (CommandFailed, msgspec.MsgspecError) as failed:
        why_not = f"its page could not be asked: {failed}"
    return Healing("selector_missing", broken.locator, why_not=redactor.text(why_not))


def _why_right(broken: Broken) -> Healing | None:
    """What the message alone tells of one that is not to be changed."""
    if broken.overlay or broken.reason:
        why_not = f"it is right, and {broken.overlay} is in the way of its element"
        if not broken.overlay:
            why_not = f"it is right, but its {broken.reason}"
        return Healing("selector_blocked", broken.locator, why_not=why_not)
    is_list = asks_for_text(broken.action) and broken.expected.startswith("[")
    if is_list or verb(broken.action) in {"have_count", "count", "all"}:
        return Healing("selector_missing", broken.locator, why_not="it is meant to find several elements")
    return None


async def _healed(
    session: Session,
    broken: Broken,
    was: Fingerprint,
    neighbours: Sequence[Fingerprint],
    suspected: Sequence[str],
    redactor: Redactor,
) -> Healing:
    locator = (Step("locator", (broken.locator,)),) if broken.is_css else read(broken.locator)
    seen = await look(session, page_steps(locator))
    if seen.reason:
        return Healing(
            "selector_missing", broken.locator, why_not=f"the page does not take it: {seen.reason}"
        )
    kind, part = _kind(seen, was), broken_part(locator, seen.counts)
    remembered = was if part.is_last else NOTHING
    if why_not := _why_hopeless(kind, part, remembered):
        return Healing(kind, broken.locator, (), part.steps, why_not)
    found = await meant(session, part, broken, remembered, neighbours)
    if not found or found[0].score < TOLD:
        return Healing(kind, broken.locator, (), part.steps, "nothing on the page is like its element")
    bar = SURE if remembered == NOTHING else REMEMBERED_SURE
    ways_found = [each async for each in _replacements(session, part, found[0], broken, redactor)]
    return Healing(
        kind,
        broken.locator,
        tuple(ways_found),
        part.steps,
        _why_not(found, bar, suspected) if ways_found else "no selector finds what is like its element alone",
    )


def _kind(seen: Looked, was: Fingerprint) -> HealedKind:
    if seen.count != 1:
        return "selector_ambiguous" if seen.count else "selector_missing"
    return "selector_stale" if was != NOTHING and is_another(was, seen.found[0]) else "selector_healthy"


def _why_hopeless(kind: HealedKind, part: Part, was: Fingerprint) -> str:
    if kind == "selector_healthy":
        return "it finds its element now, which was not there in time"
    if kind == "selector_ambiguous" and was == NOTHING:
        return f"it finds {part.left} elements, and nothing tells which of them was meant"
    if kind == "selector_missing" and part.left:
        return f"{written(part.steps)} finds {part.left}, fewer than are asked for"
    return ""


def _why_not(found: Sequence[Ranked], bar: float, suspected: Sequence[str]) -> str:
    best, *others = found
    if others and best.score - others[0].score < MARGIN:
        return f"{called(others[0].candidate)} is as likely"
    if best.score < bar:
        return f"{best.score:.2f} is less than the {bar:.2f} that is needed"
    if suspected and best.score < bar + SUSPECTED:
        return f"{best.score:.2f} is less than the {bar + SUSPECTED:.2f} that is needed after {suspected[0]}"
    return ""


async def _replacements(
    session: Session, part: Part, best: Ranked, broken: Broken, redactor: Redactor
) -> AsyncGenerator[Replacement]:
    """The first ways that find the one element, in Playwright's preference."""
    element, told = best.candidate, set[str]()
    for way in ways(element, says_its_text=part.is_last and asks_for_text(broken.action)):
        is_exact = way.step.given("exact") is True
        # A whole name is only needed where a part of it is not enough.
        if (is_exact and way.step.method in told) or (broken.is_css and not way.is_css):
            continue
        locator = way.selector if broken.is_css else written(part.with_step(way))
        # Half a secret finds nothing.
        is_new = (way.step,) != part.steps and redactor.text(locator) == locator
        if is_new and await _finds_it(session, part, way, element):
            words = redactor.text(called(element))
            yield Replacement(locator, way.step, way.selector, words, round(best.score, 2))
            told.add(way.step.method)
        if len(told) == MAX_WAYS:
            return


async def _finds_it(session: Session, part: Part, way: Way, element: Fingerprint) -> bool:
    """By the whole chain; a role by Chrome's own tree as well."""
    seen = await look(session, page_steps(part.with_step(way)))
    if seen.count != 1 or (part.is_last and not is_same(seen.found[0], element)):
        return False
    if way.step.method != "get_by_role":
        return True
    return await count_of_role(session, page_steps(part.before), parsed(way.selector)) == 1
