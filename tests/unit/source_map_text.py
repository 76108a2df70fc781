"""Writes source maps as a compiler would."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
Mapping = tuple[int, int, int, int, int] | tuple[int, int, int, int, int, int]
"""Generated line and column, number of the source, its line and column, number of a name; all count from 0."""


def vlq(number: int) -> str:
    rest, text = (-number << 1 | 1) if number < 0 else number << 1, ""
    while True:
        digit, rest = rest & 31, rest >> 5
        text += BASE64[digit | 32 if rest else digit]
        if not rest:
            return text


def mappings(places: Iterable[Mapping]) -> str:
    lines: dict[int, list[str]] = {}
    source, line, column, name = 0, 0, 0, 0
    last_columns: dict[int, int] = {}
    for at_line, at_column, in_source, in_line, in_column, *named in sorted(places):
        numbers = [
            at_column - last_columns.get(at_line, 0),
            in_source - source,
            in_line - line,
            in_column - column,
            *(number - name for number in named),
        ]
        name = named[0] if named else name
        lines.setdefault(at_line, []).append("".join(vlq(number) for number in numbers))
        last_columns[at_line], source, line, column = at_column, in_source, in_line, in_column
    return ";".join(",".join(lines.get(number, [])) for number in range(max(lines, default=-1) + 1))


def text_of(sources: list[str | None], *places: Mapping, **more: Any) -> str:
    content = ["// what was written"] * len(sources)
    whole = {
        "version": 3,
        "sources": sources,
        "sourcesContent": content,
        "names": [],
        "mappings": mappings(places),
    }
    return json.dumps(whole | more)
