"""What a step of a locator asks for: as the page follows it, and as a hint of which element was meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, cast

from ...correlator.selectors.hinted import Hint
from ...observer.asked_selector import BadSelector, parsed
from ...observer.locating import Engine, Kind, PageStep, Text
from .locators import BadLocator, Pattern, Step, Value

BY_TEXT: Final[dict[str, Engine]] = {
    "get_by_alt_text": "alt",
    "get_by_label": "label",
    "get_by_placeholder": "placeholder",
    "get_by_test_id": "testid",
    "get_by_text": "text",
    "get_by_title": "title",
}
PLAIN: Final[dict[str, Engine]] = {"first": "first", "last": "last", "content_frame": "frame"}
WRITES: Final = frozenset({"fill", "type", "press_sequentially", "clear", "input_value", "have_value", "be_editable", "be_empty"})  # fmt: skip
CHECKS: Final = frozenset({"check", "uncheck", "set_checked", "is_checked", "be_checked"})
CLICKS: Final = frozenset({"click", "dblclick", "tap"})
TEXTUAL: Final = frozenset(
    {"have_text", "contain_text", "inner_text", "text_content", "have_accessible_name"}
)
LEGACY = re.compile(r"(id|data-testid|data-test-id|data-test)=(.+)", re.DOTALL)
COMPOUND = re.compile(r"""[\s>+~](?=[^\s>+~"'\]]*(?:\[[^\]]*\][^\s>+~"'\]]*)*$)""")
ATTRIBUTE = re.compile(r"""\[\s*([\w-]+)\s*[~|^$*]?=\s*(?:"([^"]*)"|'([^']*)'|([^\]\s]+))\s*[is]?\s*\]""")
ID, CLASS, TAG = re.compile(r"#([\w-]+)"), re.compile(r"\.([\w-]+)"), re.compile(r"^([a-z][\w-]*)")
QUOTED = re.compile(r""":(?:has-text|text|text-is)\(\s*(?:"([^"]*)"|'([^']*)')\s*\)""")
TAG_ROLES: Final = {"button": "button", "a": "link", "textarea": "textbox", "select": "combobox"}


def page_steps(steps: Sequence[Step]) -> tuple[PageStep, ...]:
    """Raises BadLocator for what the page can't be asked."""
    return tuple(page_step(step) for step in steps)


def page_step(step: Step) -> PageStep:
    if step.method == "locator":
        return of_selector(step.text)
    if step.method in BY_TEXT:
        return _with_text(PageStep(BY_TEXT[step.method]), step.args[0], step.given("exact") is True)
    if step.method == "get_by_role":
        name, states = step.given("name"), _states(step)
        text = _text(name, step.given("exact") is True) if name is not None else None
        return PageStep("role", step.text, name=text, states=states)
    if step.method in PLAIN:
        return PageStep(PLAIN[step.method])
    if step.method == "nth":
        return PageStep("nth", place=cast("int", step.args[0]))
    if step.method == "filter":
        [(name, value)] = step.named
        if name in {"has_text", "has_not_text"}:
            return _with_text(PageStep("has_text" if name == "has_text" else "has_not_text"), value, False)
        if (name, value) == ("visible", True):
            return PageStep("visible")
    raise BadLocator(
        f"{step.method} can't be followed on the page.", "CSS, get_by_…, first, nth and has_text can."
    )


def of_selector(selector: str) -> PageStep:
    legacy = LEGACY.fullmatch(selector)
    if legacy is not None:
        return PageStep("css", f'[{legacy[1]}="{legacy[2]}"]')
    if selector.startswith(("//", "..", "xpath=")):
        raise BadLocator("An XPath can't be followed on the page.", "Ask by role, text or CSS.")
    try:
        asked = parsed(selector)
    except BadSelector as bad:
        raise BadLocator(
            f"{selector[:80]} can't be followed on the page: {bad}", "Ask by role or CSS."
        ) from bad
    if asked.engine == "role":
        name = Text(asked.name, asked.exact) if asked.name is not None else None
        return PageStep("role", asked.wanted, name=name, states=asked.states)
    return PageStep(asked.engine, asked.wanted, exact=asked.exact)


def kind_of(action: str) -> Kind:
    """What was to be done: of `Locator.click`, `Page.fill` or `not_to_be_checked`."""
    name = verb(action)
    if name in WRITES:
        return "write"
    if name in CHECKS:
        return "check"
    if name == "select_option":
        return "select"
    if name == "set_input_files":
        return "upload"
    return "click" if name in CLICKS else ""


def asks_for_text(action: str) -> bool:
    """Whether it says what the element reads: to find it by that would be to check nothing."""
    return verb(action) in TEXTUAL


def verb(action: str) -> str:
    return action.rpartition(".")[2].removeprefix("not_").removeprefix("to_")


def hint_of(steps: Sequence[Step], kind: Kind = "", expected: str = "") -> Hint:
    """Of one step and the filters behind it."""
    first = steps[0]
    hint = Hint(kind=kind, expected=expected)
    if first.method == "locator":
        hint = _of_css(first.text, hint)
    elif first.method == "get_by_test_id":
        hint = replace(hint, marks=_words(first.args[0]))
    elif first.method == "get_by_role":
        hint = replace(hint, role=first.text, name=_words(first.given("name")))
    else:
        hint = replace(hint, name=_words(first.args[0]) if first.args else "")
    texts = [_words(step.given("has_text")) for step in steps[1:]]
    return replace(hint, name=" ".join(filter(None, (hint.name, *texts))))


def _of_css(selector: str, hint: Hint) -> Hint:
    """Its last compound says what the element itself is."""
    css = selector
    with suppress(BadLocator):
        step = of_selector(selector)
        if step.engine == "role":
            return replace(hint, role=step.text, name=step.name.text if step.name else "")
        if step.engine != "css":
            return replace(hint, **{"marks" if step.engine == "testid" else "name": step.text})
        css = step.text
    last = COMPOUND.split(css)[-1]
    attributes = {found[1]: found[2] or found[3] or found[4] or "" for found in ATTRIBUTE.finditer(last)}
    texts = [found[1] or found[2] for found in QUOTED.finditer(last)]
    bare = QUOTED.sub("", ATTRIBUTE.sub("", last))
    tag = found[1] if (found := TAG.match(bare)) else ""
    human = [attributes.pop(name, "") for name in ("aria-label", "placeholder", "title", "alt")]
    typed, role = attributes.pop("type", ""), attributes.pop("role", "")
    marks = [*ID.findall(bare), *CLASS.findall(bare), *attributes.values()]
    return replace(
        hint,
        name=" ".join(filter(None, (*texts, *human))),
        marks=" ".join(marks),
        tag=tag,
        type=typed,
        role=role or TAG_ROLES.get(tag, ""),
    )


def _with_text(step: PageStep, value: Value, exact: bool) -> PageStep:
    text = _text(value, exact)
    return PageStep(step.engine, text.text, exact=text.exact, flags=text.flags)


def _text(value: Value, exact: bool) -> Text:
    if isinstance(value, Pattern):
        return Text(value.source, flags=value.flags)
    if not isinstance(value, str):
        raise BadLocator("A text was expected.", "Ask by a text or a pattern.")
    return Text(value, exact)


def _states(step: Step) -> dict[str, str]:
    values = {name: value for name, value in step.named if name not in {"name", "exact", "include_hidden"}}
    return {name: str(value).lower() for name, value in values.items()}


def _words(value: Value | None) -> str:
    if isinstance(value, Pattern):
        return re.sub(r"\\.|[^\w\s]", " ", value.source)
    return value if isinstance(value, str) else ""
