"""Which element of a page was meant by the part of a locator that broke: by what it was, if that is known, else by what it says."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...correlator.selectors.hinted import Hint, hinted, telling
from ...correlator.selectors.parts import value_of
from ...correlator.selectors.ranking import Ranked, ranked
from ...observer.cdp.session import Session
from ...observer.fingerprint import NOTHING, Fingerprint
from ...observer.locating import look
from .asked_for import asks_for_text, hint_of, kind_of, page_steps
from .broken_part import Part
from .healed import Broken

MIN_WORD_CHARS = 3
NEAR_PX = 30


async def meant(
    session: Session, part: Part, broken: Broken, was: Fingerprint, neighbours: Sequence[Fingerprint]
) -> list[Ranked]:
    """The likeliest first. Raises PageBusy and CommandFailed."""
    hint = hint_in(part, broken)
    words = (*hint.words, *words_of(was))
    before = page_steps(part.before)
    seen = await look(session, before, part.start, words, hint.kind or "click", was)
    candidates = [msgspec.structs.replace(each, found=False) for each in seen.candidates]
    if was == NOTHING:
        return hinted(hint, candidates)
    others = {identity(each) for each in neighbours} - {identity(was)}
    known = [msgspec.structs.replace(each, known=identity(each) in others) for each in candidates]
    return ranked(was, known)


def hint_in(part: Part, broken: Broken) -> Hint:
    """What was done, and what was expected, is said of the element itself, not of what it stands in."""
    if not part.is_last:
        return hint_of(part.steps)
    has_text = asks_for_text(broken.action) and not broken.expected.startswith("re.compile(")
    return hint_of(part.steps, kind_of(broken.action), broken.expected if has_text else "")


def words_of(was: Fingerprint) -> tuple[str, ...]:
    texts = (was.name, was.text, was.id, value_of(was.test), was.field, was.placeholder, *was.classes)
    return tuple(sorted(frozenset[str]().union(*(telling(text) for text in texts))))


def identity(element: Fingerprint) -> tuple[str, ...]:
    return element.role or element.tag, element.name or element.text, element.test, element.id, element.field


def is_same(one: Fingerprint, other: Fingerprint) -> bool:
    """At nearly the same place, too: what moves is still the same."""
    near = all(abs(old - new) <= NEAR_PX for old, new in zip(one.rect, other.rect, strict=False))
    return (*identity(one), one.path) == (*identity(other), other.path) and near


def is_another(was: Fingerprint, now: Fingerprint) -> bool:
    """As the page tells an element that something else took the place of from one that is only drawn anew."""
    if (was.tag, was.role, was.type) != (now.tag, now.role, now.type):
        return True
    before, after = _read(was), _read(now)
    return bool(before and after) and before.isdisjoint(after)


def _read(element: Fingerprint) -> frozenset[str]:
    words = (element.name or element.text).lower().split()
    return frozenset(word for word in words if len(word) >= MIN_WORD_CHARS and word.isalpha())
