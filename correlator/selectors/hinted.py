"""Which element is most like what a selector says alone, where nobody saw the element that it meant: its words, role and kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ...observer.fingerprint import Fingerprint
from ...observer.locating import Kind
from .parts import Part, spaced, value_of
from .parts import words as words_of
from .ranking import Ranked

ROLE_WORDS: Final = {
    "button": "button", "btn": "button", "link": "link", "anchor": "link", "input": "textbox", "field": "textbox",
    "textbox": "textbox", "textarea": "textbox", "checkbox": "checkbox", "radio": "radio", "select": "combobox",
    "dropdown": "combobox", "heading": "heading", "tab": "tab", "dialog": "dialog", "modal": "dialog",
}  # fmt: skip
# They are in so many names that they tell nothing.
EMPTY: Final = frozenset(ROLE_WORDS) | frozenset(
    {
        "a", "an", "and", "at", "box", "by", "cta", "data", "el", "element", "for", "form", "here", "id", "in", "is", "item", "js",
        "label", "my", "nav", "of", "on", "or", "qa", "test", "testid", "text", "the", "this", "to", "txt", "ui", "with", "wrapper", "your",
    }
)  # fmt: skip
WRITTEN: Final = frozenset({"textbox", "searchbox", "spinbutton", "combobox"})
CHECKED: Final = frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"})
CLICKED: Final = frozenset(
    {"button", "link", "checkbox", "radio", "switch", "tab", "menuitem", "option", "combobox", "textbox", "searchbox"}
)  # fmt: skip
MIN_PREFIX: Final = 3
SHORTENED: Final = 0.9
WORDS_WEIGHT: Final = 5.0
UNFIT: Final = 0.4
HIDDEN: Final = 0.7
# Without a word in common it is a guess.
WORDLESS_MAX: Final = 0.5


@dataclass(frozen=True, slots=True)
class Hint:
    """What a selector says of its element, and what was to be done with it: `name` is what a person would call it, `marks` what a
    developer does, `expected` the text that it should have.
    """

    name: str = ""
    marks: str = ""
    role: str = ""
    tag: str = ""
    type: str = ""
    kind: Kind = ""
    expected: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(sorted(telling(self.name) | telling(self.marks) | telling(self.expected)))


def hinted(hint: Hint, candidates: Sequence[Fingerprint]) -> list[Ranked]:
    """The best first; of equals the one that the page names first."""
    return sorted((Ranked(score(hint, each), each) for each in candidates), key=lambda one: -one.score)


def score(hint: Hint, now: Fingerprint) -> float:
    counted = list(parts(hint, now))
    total = sum(part.weight * part.likeness for part in counted) / (sum(part.weight for part in counted) or 1)
    if not fits(hint.kind, now):
        total *= UNFIT
    if now.hidden:
        total *= HIDDEN
    has_words = bool(telling(hint.name) or telling(hint.marks))
    return min(total, 0.99) if has_words else min(total, WORDLESS_MAX)


def parts(hint: Hint, now: Fingerprint) -> Iterator[Part]:
    yield Part(WORDS_WEIGHT, max(likeness(hint.name, now), likeness(hint.marks, now)))
    if role := hint.role or role_in(hint.marks):
        yield Part(2.0, 1.0 if now.role == role else 0.5 if {role, now.role} <= CLICKED else 0.0)
    elif hint.kind == "click":
        yield Part(1.5, float(now.role in CLICKED))
    if hint.tag:
        yield Part(1.0, float(now.tag == hint.tag))
    if hint.type:
        yield Part(1.0, float(now.type == hint.type))
    if hint.expected:
        yield Part(3.0, overlap(hint.expected, now.text or now.name))


def likeness(said: str, now: Fingerprint) -> float:
    """How much of it any of the element's own marks or texts has; each says the whole of it, or none."""
    if not said:
        return 0.0
    features = (
        now.name, now.text, now.id, value_of(now.test), now.field, now.placeholder, now.title, now.alt,
        now.href.rstrip("/").rpartition("/")[2], *now.classes,
    )  # fmt: skip
    return max(overlap(said, feature) for feature in features)


@lru_cache(4_000)
def overlap(one: str, other: str) -> float:
    first, second = telling(one), telling(other)
    if not first or not second:
        return 0.0
    if squeezed(one) == squeezed(other):
        return 1.0
    # Written in one word it may be one of the other's: `e-mail` and `email address`.
    if squeezed(one) in second:
        first = frozenset({squeezed(one)})
    elif squeezed(other) in first:
        second = frozenset({squeezed(other)})
    met = sum(max(same(word, each) for each in second) for word in first)
    return min(1.0, 2 * met / (len(first) + len(second)))


def same(one: str, other: str) -> float:
    """Words are the same in singular and plural, and nearly so if one is the beginning of the other: `addr`, `address`."""
    if one == other or one.removesuffix("s") == other.removesuffix("s"):
        return 1.0
    short, long = sorted((one, other), key=len)
    return SHORTENED if len(short) >= MIN_PREFIX and long.startswith(short) else 0.0


@lru_cache(4_000)
def telling(text: str) -> frozenset[str]:
    """Its words without those that tell nothing; all of them if there are no others."""
    found = words_of(spaced(text))
    return found - EMPTY or frozenset(word for word in found if word in ROLE_WORDS)


def squeezed(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def role_in(marks: str) -> str:
    """`save-btn` is a button."""
    return next((ROLE_WORDS[word] for word in spaced(marks).split() if word in ROLE_WORDS), "")


def fits(kind: Kind, now: Fingerprint) -> bool:
    """Whether that can be done with it."""
    if kind == "write":
        return now.role in WRITTEN or (
            now.tag in {"input", "textarea"} and now.role not in {*CHECKED, "button"}
        )
    if kind == "check":
        return now.role in CHECKED
    if kind == "select":
        return now.tag == "select"
    return now.type == "file" if kind == "upload" else True
