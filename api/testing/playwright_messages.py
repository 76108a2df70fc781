"""Playwright's messages: what `expect` says, what an action says that could not be done, and what a page's own script threw."""

from __future__ import annotations

import re
from typing import Final

from .failure import Failure, FailureKind

ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
# `Actual value: …` reaches to the next of these; it may itself have several lines.
ACTUAL: Final = re.compile(r"^Actual value: (.*?)\s*(?=^Error: |^Call log:|\Z)", re.MULTILINE | re.DOTALL)
ERROR: Final = re.compile(r"^Error: (.+)", re.MULTILINE)
EXPECT: Final = re.compile(
    r"^\s*-?\s*(?:Expect \"(?P<new>\w+)\"|(?:Locator|Page)Assertions\.(?P<old>\w+))(?: (?P<locator>.+?))? with timeout (?P<ms>[\d.]+)ms\s*$",
    re.MULTILINE,
)
WAITING: Final = re.compile(
    r"^\s*-?\s*(?:\d+ × )?waiting for (?P<locator>.+?)(?P<state> to be (?:visible|hidden|attached|detached))?\s*$",
    re.MULTILINE,
)
NO_LOCATORS: Final = ("element to be", "element to", "navigation", "scheduled navigations", "fonts to")
RESOLVED: Final = re.compile(r"locator resolved to (?:visible |hidden )?(<.+>.*)$", re.MULTILINE)
COUNT: Final = re.compile(r"locator resolved to (\d+) elements?")
STRICT: Final = re.compile(r"strict mode violation: (?P<locator>.+?) resolved to (?P<count>\d+) elements")
TIMEOUT: Final = re.compile(r"Timeout ([\d.]+)ms exceeded")
API: Final = re.compile(r"^([A-Z]\w+\.\w+): (.*)")
INTERCEPTS: Final = re.compile(r"-\s+(<.+?>.*?)(?: from (<.+?>.*?) subtree)? intercepts pointer events")
NOT_USABLE: Final = re.compile(r"-\s+(element is (?:not \w+|outside of the viewport)|element was detached.*)")
WANTED_URL: Final = re.compile(r"waiting for navigation to \"(.+?)\"(?: until|$)", re.MULTILINE)
WENT_TO: Final = re.compile(r"^\s*-?\s*navigated to \"(.+?)\"", re.MULTILINE)
NET: Final = re.compile(r"(net::\w+|NS_ERROR_\w+)(?: at (\S+))?")
# What stands between the element and the value that was expected of it.
EXPECTED: Final = re.compile(
    r"expected (?:not )?to (?:be|have(?: accessible)? [\w-]+(?: property)?|contain \w+|match Aria snapshot)(?: \"[^\"]*\")? ?(.*)\Z",
    re.DOTALL,
)
GONE: Final[tuple[tuple[str, FailureKind], ...]] = (
    ("Execution context was destroyed", "navigated_away"),
    ("is interrupted by another navigation", "navigated_away"),
    ("Frame was detached", "navigated_away"),
    ("frame got detached", "navigated_away"),
    ("Page crashed", "page_crashed"),
    ("Target crashed", "page_crashed"),
    ("has been closed", "page_closed"),
    ("Browser closed", "page_closed"),
)
BAD_SELECTOR: Final = re.compile(
    r"while parsing (?:css )?selector|is not a valid (?:XPath|selector)|Unknown engine|Malformed selector|InvalidSelector"
)
EMPTY: Final = frozenset({"None", ""})


def read(message: str, classes: list[str]) -> Failure | None:
    """None if it is none of Playwright's."""
    text = ANSI.sub("", message)
    expectation = EXPECT.search(text)
    if "builtins.AssertionError" in classes:
        return _expectation(text, expectation) if expectation else None
    if not any(name.startswith("playwright.") for name in classes):
        return None
    return _action(text)


def _expectation(text: str, told: re.Match[str]) -> Failure:
    name = told["new"] or told["old"]
    actual, error, strict = ACTUAL.search(text), ERROR.search(text), STRICT.search(text)
    head = re.split(r"\n(?=Actual value: |Error: |Call log:)", text, maxsplit=1)[0].strip()
    received = actual[1].strip() if actual else ""
    missing = bool(error and "not found" in error[1])
    count = COUNT.findall(text)
    negated = name.startswith("not_") or " not to " in head.partition("\n")[0]
    expected = EXPECTED.search(head)
    wanted = _unquoted(expected[1].strip()) if expected else ""
    matcher = name.removeprefix("not_")
    kind: FailureKind = "assertion"
    if strict:
        kind = "selector_ambiguous"
    elif (missing and not negated) or (matcher == "to_have_count" and received == "0" and not negated):
        kind = "selector_missing"
    return Failure(
        kind=kind,
        headline=head.partition("\n")[0],
        is_assertion=True,
        matcher=matcher,
        negated=negated,
        locator=told["locator"] or _locator(text),
        expected=wanted or matcher.removeprefix("to_be_").replace("_", " ") * matcher.startswith("to_be_"),
        received="" if received in EMPTY and (missing or strict) else received,
        timeout_ms=round(float(told["ms"])),
        resolved=_resolved(text),
        reason=error[1].strip().rstrip(":") if error else "",
        matches=int(strict["count"]) if strict else 0 if missing else int(count[-1]) if count else -1,
    )


def _action(text: str) -> Failure:
    head = text.strip().partition("\n")[0]
    api, timeout = API.match(head), TIMEOUT.search(text)
    strict, net = STRICT.search(text), NET.search(head)
    locator, resolved = strict["locator"] if strict else _locator(text), _resolved(text)
    overlay, reason = _blocked(text)
    wanted, went = WANTED_URL.search(text), WENT_TO.findall(text)
    kind = _kind_of_action(text, head, locator=locator, resolved=resolved, timed_out=timeout is not None)
    return Failure(
        kind=kind,
        headline=head,
        api=api[1] if api else "",
        locator=locator,
        expected=wanted[1] if wanted else "",
        received=went[-1] if wanted and went else "",
        timeout_ms=round(float(timeout[1])) if timeout else 0,
        resolved=resolved,
        reason=net[1] if net else reason if kind == "selector_blocked" else "",
        overlay=overlay if kind == "selector_blocked" else "",
        url=(net[2] or "").rstrip(",;") if net else "",
        matches=int(strict["count"]) if strict else 0 if kind == "selector_missing" else -1,
    )


def _kind_of_action(text: str, head: str, *, locator: str, resolved: str, timed_out: bool) -> FailureKind:
    if STRICT.search(text):
        return "selector_ambiguous"
    for words, kind in GONE:
        if words in head:
            return kind
    if BAD_SELECTOR.search(head):
        return "selector_invalid"
    if NET.search(head):
        return "navigation_failed"
    if timed_out and locator:
        return "selector_blocked" if resolved else "selector_missing"
    if timed_out:
        return "timeout"
    return "script_error" if re.match(r"\w+\.(evaluate|eval_on|wait_for_function)", head) else "other"


def _locator(text: str) -> str:
    for told in WAITING.finditer(text):
        if not told["locator"].startswith(NO_LOCATORS):
            return told["locator"]
    return ""


def _resolved(text: str) -> str:
    found = RESOLVED.findall(text)
    return found[-1].strip() if found else ""


def _blocked(text: str) -> tuple[str, str]:
    """What covers the element, and else why it can't be used: the last that was said of it."""
    covered = INTERCEPTS.findall(text)
    if covered:
        inner, outer = covered[-1]
        return (outer or inner).strip(), "covered"
    told = NOT_USABLE.findall(text)
    if told:
        return "", str(told[-1]).strip()
    state = re.search(r"resolved to (hidden|visible) <", text)
    return "", f"the element is {state[1]}" if state else ""


def _unquoted(text: str) -> str:
    """`'Hi'` as Hi; `'re.compile('z+')'` as it is between the outer quotes."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "'" else text
