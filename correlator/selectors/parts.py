"""How much two fingerprints have in common, part by part: each with a weight, and from 0 to 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from ...observer.fingerprint import Fingerprint

WORD = re.compile(r"[^\W_]+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
FAR_PX = 200.0
AROUND, AROUND_OF_ONE_OF_MANY = 2.5, 6.0
BESIDE, BESIDE_OF_ONE_OF_MANY = 0.5, 0.2


class Part(NamedTuple):
    weight: float
    likeness: float


def parts(was: Fingerprint, now: Fingerprint, *, one_of_many: bool = False) -> Iterator[Part]:
    """What either of the two has; a feature that neither has says nothing. One of many is told from the others by what it stands in."""
    yield from label(was, now)
    for weight, old, new in (
        (4.0, value_of(was.test), value_of(now.test)),
        (3.0, was.id, now.id),
        (3.0, was.field, now.field),
        (2.5, was.href, now.href),
        (2.0, was.placeholder, now.placeholder),
        (1.0, was.title, now.title),
        (1.5, was.alt, now.alt),
    ):
        yield from key(weight, old, new)
    yield from exactly(2.0, was.role, now.role)
    yield from exactly(1.0, was.type, now.type)
    yield Part(1.0, float(was.tag == now.tag))
    if was.classes:
        yield Part(1.5, jaccard(frozenset(was.classes), frozenset(now.classes)))
    yield Part(1.5, path(was.path, now.path))
    if was.around or now.around:
        yield around(was, now, one_of_many=one_of_many)
    beside = BESIDE_OF_ONE_OF_MANY if one_of_many else BESIDE
    yield Part(beside, float(was.before == now.before))
    yield Part(beside, float(was.after == now.after))
    if was.rect and now.rect:
        yield Part(1.0, place(was.rect, now.rect))


def around(was: Fingerprint, now: Fingerprint, *, one_of_many: bool) -> Part:
    """Rows have words in common with each other; only one that has most of them is the same."""
    likeness = jaccard(words(was.around), words(now.around))
    if one_of_many:
        return Part(AROUND_OF_ONE_OF_MANY, max(0.0, likeness * 2 - 1))
    return Part(AROUND, likeness)


def label(was: Fingerprint, now: Fingerprint) -> Iterator[Part]:
    """What a person would call it."""
    old, new = was.name or was.text, now.name or now.text
    if old or new:
        yield Part(5.0, text(old.lower(), new.lower()))


def key(weight: float, old: str, new: str) -> Iterator[Part]:
    """What a developer calls it: it may be renamed, and what had none may get one."""
    if old:
        yield Part(weight, 1.0 if old == new else 0.8 * text(spaced(old), spaced(new)))
    elif new:
        yield Part(weight / 4, 0.0)


def exactly(weight: float, old: str, new: str) -> Iterator[Part]:
    if old or new:
        yield Part(weight, float(old == new))


@lru_cache(4_000)
def text(old: str, new: str) -> float:
    if old == new:
        return 1.0
    if not old or not new:
        return 0.0
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return 0.5 * max(0.0, matcher.ratio() * 2 - 1) + 0.5 * jaccard(words(old), words(new))


def path(old: tuple[str, ...], new: tuple[str, ...]) -> float:
    """Ancestors from the inside out; one more or one less is a wrapper that came or went."""
    if not old:
        return float(not new)
    best = 0.0
    for shift in (0, 1, -1):
        pairs = zip(old[max(0, -shift) :], new[max(0, shift) :], strict=False)
        same = sum(step(one, other) for one, other in pairs)
        best = max(best, same / max(len(old), len(new)) - (0.1 if shift else 0.0))
    return max(0.0, best)


def step(old: str, new: str) -> float:
    if old == new:
        return 1.0
    return 0.5 if re.split("[.#]", old)[0] == re.split("[.#]", new)[0] else 0.0


def place(old: tuple[int, ...], new: tuple[int, ...]) -> float:
    far = abs(old[0] - new[0]) + abs(old[1] - new[1])
    return 1 / (1 + far / FAR_PX)


def value_of(test: str) -> str:
    return test.partition("=")[2]


def spaced(name: str) -> str:
    """`payNow` and `pay_now` have the same words."""
    return " ".join(WORD.findall(HUMP.sub(" ", name))).lower()


@lru_cache(4_000)
def words(of: str) -> frozenset[str]:
    return frozenset(WORD.findall(of.lower()))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    both = len(one | other)
    return len(one & other) / both if both else 1.0
