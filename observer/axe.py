"""axe, which knows the rules of accessibility: where its script is, and having it look at a page from our isolated world.

The script comes with a package of its own: it is read from there as data and is no part of this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

import msgspec

from .errors import AxeMissing, PageBusy
from .page import asked
from .world import World

PACKAGE = "axe-playwright-python"
SCRIPT = "axe_playwright_python/axe.min.js"
# What keeps somebody from using a page at all; none of them looks at colours, which is what takes axe long.
GRAVE_RULES = (
    "area-alt",
    "aria-command-name",
    "aria-hidden-body",
    "aria-input-field-name",
    "aria-required-attr",
    "aria-required-children",
    "aria-required-parent",
    "aria-roles",
    "aria-toggle-field-name",
    "aria-valid-attr-value",
    "button-name",
    "document-title",
    "duplicate-id-aria",
    "frame-title",
    "html-has-lang",
    "image-alt",
    "input-button-name",
    "input-image-alt",
    "label",
    "link-name",
    "meta-viewport",
    "select-name",
    "video-caption",
)
SLOW_RULES = ("color-contrast",)
# A page is kept busy by one group at a time and can do something else in between; but each group goes through all elements anew.
RULES_AT_ONCE = 15
UNASKED_RULES_AT_ONCE = 6


class Violated(msgspec.Struct, frozen=True):
    """One rule and the elements that break it: how many there are, and the first three."""

    rule: str
    impact: str
    count: int
    nodes: tuple[str, ...]
    help: str


class Looked(msgspec.Struct, frozen=True):
    """What a look at a page found; `left` are rules that there was no time for."""

    violations: tuple[Violated, ...]
    rules: int
    left: tuple[str, ...] = ()


RULES = msgspec.json.Decoder(tuple[str, ...])
BOOLEAN = msgspec.json.Decoder(bool)
FOUND = msgspec.json.Decoder(tuple[Violated, ...] | None)


@lru_cache(1)
def axe_script() -> str:
    """Raises AxeMissing."""
    try:
        # Not by importlib.resources: that would run the package's own code.
        return Path(str(distribution(PACKAGE).locate_file(SCRIPT))).read_text("utf-8")
    except (PackageNotFoundError, OSError):
        raise AxeMissing(
            "Accessibility can't be checked: axe is not installed.",
            'Install it with: pip install "firstcause[a11y]"',
        ) from None


def is_installed() -> bool:
    try:
        return bool(axe_script())
    except AxeMissing:
        return False


async def bring_in(world: World) -> tuple[str, ...]:
    """Put axe into the world unless it is there, and say which rules it has on by default; none if the page can't be looked at."""
    script = files(asked).joinpath("axe.js").read_text("utf-8")
    expression = f"""(() => {{
      const fc = globalThis.firstcause;
      if (fc && !fc.axe) {{ {axe_script()};
        ({script})(fc); }}
      return fc ? fc.axe.rules : [];
    }})()"""
    return RULES.decode(await world.occupy(expression))


async def look(world: World, rules: Sequence[str]) -> Looked:
    """By all of the rules that there is time for; raises PageBusy if there was none for any."""
    violations: list[Violated] = []
    done, left = 0, list(groups(rules, RULES_AT_ONCE))
    while left:
        try:
            violations += await look_by(world, left[0]) or ()
        except PageBusy:
            if not done:
                raise
            break
        done += len(left.pop(0))
    return Looked(tuple(violations), done, tuple(rule for group in left for rule in group))


async def look_by(
    world: World, rules: Sequence[str], *, unasked: bool = False
) -> tuple[Violated, ...] | None:
    """What a few rules find; unasked only what was not told before, and None if somebody uses the page."""
    if unasked and not BOOLEAN.decode(await world.run("firstcause.axe.isWelcome()")):
        return None
    asked_for = msgspec.json.encode([rules, unasked]).decode()
    return FOUND.decode(await world.occupy(f"firstcause.axe.look(...{asked_for})"))


def groups(rules: Sequence[str], at_once: int) -> Iterator[tuple[str, ...]]:
    """The grave ones first; the slow ones last and alone: one of them may take all the time there is."""
    fast = sorted(
        (rule for rule in rules if rule not in SLOW_RULES), key=lambda rule: rule not in GRAVE_RULES
    )
    for start in range(0, len(fast), at_once):
        yield tuple(fast[start : start + at_once])
    for rule in rules:
        if rule in SLOW_RULES:
            yield (rule,)
