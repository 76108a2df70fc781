"""Selectors as people and Playwright write them: `#save`, `role=button[name="Save"]`, `text=Save`, `label=`, `placeholder=`, `testid=`."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Engine = Literal["css", "role", "text", "label", "placeholder", "testid"]
PREFIXED = re.compile(r"\s*(css|role|text|label|placeholder|testid)\s*=\s*(.*?)\s*", re.DOTALL)
ROLE = re.compile(r"([a-z]+)((?:\s*\[.*\])?)", re.DOTALL)
ATTRIBUTE = re.compile(
    r"""\s*\[\s*([a-z-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([\w-]+))\s*([is]?)\s*)?\]\s*"""
)
ESCAPED = re.compile(r"\\(.)")
STATES = frozenset({"checked", "disabled", "expanded", "level", "pressed", "selected"})
ALIASES = {"img": "image"}  # what Chrome's tree calls it


class BadSelector(ValueError):
    """What is wrong with it, in a sentence."""


class Asked(msgspec.Struct, frozen=True):
    """`exact` compares whole texts in their case; otherwise a part in any case is enough. `states` are those of a role."""

    engine: Engine
    wanted: str
    exact: bool = False
    name: str | None = None
    states: dict[str, str] = {}


def parsed(selector: str) -> Asked:
    """Raises BadSelector; whether CSS is right only the page can say."""
    found = PREFIXED.fullmatch(selector)
    if found is None:
        if not selector.strip():
            raise BadSelector("It is empty.")
        return Asked("css", selector)
    engine, wanted = found.groups()
    if not wanted:
        raise BadSelector(f"Nothing stands behind {engine}=.")
    if engine == "role":
        return parsed_role(wanted)
    if engine not in ("text", "label", "placeholder", "testid"):
        return Asked("css", wanted)
    if len(wanted) > 1 and wanted[0] == wanted[-1] and wanted[0] in "\"'":
        return Asked(engine, unescaped(wanted[1:-1]), exact=True)
    return Asked(engine, wanted)


def parsed_role(text: str) -> Asked:
    found = ROLE.fullmatch(text)
    if found is None:
        raise BadSelector('A role is written like role=button or role=button[name="Save"].')
    role, rest = found.groups()
    name, exact, states = None, True, dict[str, str]()
    at = 0
    while at < len(rest):
        attribute = ATTRIBUTE.match(rest, at)
        if attribute is None:
            raise BadSelector(f'{rest[at:].strip()} is not understood: [name="Save"] and [checked] are.')
        at = attribute.end()
        key, double, single, bare, flag = attribute.groups()
        value = unescaped(double or single or bare or "")
        if key == "name" and value:
            name, exact = value, flag != "i"
        elif key in STATES:
            states[key] = value or "true"
        else:
            raise BadSelector(f"[{key}] is not understood: name, {', '.join(sorted(STATES))} are.")
    return Asked("role", ALIASES.get(role, role), exact, name, states)


def unescaped(text: str) -> str:
    return ESCAPED.sub(r"\1", text)
