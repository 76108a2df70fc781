"""One table put into a TOML text by its lines, so that all others stay as somebody wrote them, comments too."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

HEADER: Final = re.compile(r"\s*\[")


class TomlRefused(Exception):
    """What is wrong with the text, to be said behind the file's name."""


def with_table(text: str, parent: str, name: str, entry: Mapping[str, Any], without: Collection[str]) -> str:
    """The text with these values in `[parent.name]`; what else is there stays, but for the names `without`. Raises TomlRefused."""
    given = _parsed(text)
    tables = _table(given.get(parent, {}))
    old = _table(tables.get(name, {})) if tables is not None else None
    if tables is None or old is None:
        raise TomlRefused(f"has no tables in {parent}")
    kept = {key: value for key, value in old.items() if key not in without}
    wanted: dict[str, Any] = {**given, parent: {**tables, name: {**kept, **entry}}}
    if wanted == given:
        return text
    dropped = [key for key in old if key in without]
    made = _edited(text, rf"{re.escape(parent)}\s*\.\s*\"?{re.escape(name)}\"?", entry, dropped)
    if made is None:
        made = f"{text.rstrip()}\n\n[{parent}.{name}]\n{_lines(entry)}".lstrip()
    # By lines an inline table, or a line in a long string that looks like a header, is not understood: then nothing is changed.
    if _parsed(made, TomlRefused(f"writes {parent} in a way that is not understood here")) != wanted:
        raise TomlRefused(f"writes {parent} in a way that is not understood here")
    return made


def _table(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _parsed(text: str, otherwise: TomlRefused | None = None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise otherwise or TomlRefused(f"is no TOML: {error}") from None


def _edited(text: str, table: str, entry: Mapping[str, Any], dropped: Collection[str]) -> str | None:
    """None where there is no such header."""
    lines = text.splitlines(keepends=True)
    header = re.compile(rf"\s*\[\s*{table}\s*\]\s*(#.*)?")
    start = next((at + 1 for at, line in enumerate(lines) if header.fullmatch(line.rstrip("\r\n"))), None)
    if start is None:
        return None
    end = next((at for at in range(start, len(lines)) if HEADER.match(lines[at])), len(lines))
    if not lines[start - 1].endswith("\n"):
        lines[start - 1] += "\n"
    body = lines[start:end]
    for key in (*entry, *dropped):
        body = _without(body, key)
    return "".join((*lines[:start], _lines(entry), *body, *lines[end:]))


def _without(lines: list[str], key: str) -> list[str]:
    """Without the value of this name, on however many lines it is."""
    begins = re.compile(rf"\s*\"?{re.escape(key)}\"?\s*=")
    at = next((at for at, line in enumerate(lines) if begins.match(line)), None)
    if at is None:
        return lines
    for end in range(at + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[at:end]))
        except tomllib.TOMLDecodeError:
            continue
        return lines[:at] + lines[end:]
    return lines


def _lines(entry: Mapping[str, Any]) -> str:
    """JSON's texts and lists of texts are TOML's too."""
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in entry.items())
