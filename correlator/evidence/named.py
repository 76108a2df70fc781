"""The message names what failed: an address, or a global that a script should have defined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..flow import Flow
from ..nodes import Effect, Link, Request
from .rule import Rule

MAX_AGE_S = 60.0
MIN_PATH_CHARS = 4
IMPORT = re.compile(r"dynamically imported module: (\S+)")
UNDEFINED = re.compile(r"\b([A-Za-z_$][\w$]{2,}) is not defined")


def find(effect: Effect, flow: Flow) -> Iterator[Link]:
    if effect.kind != "error":
        return
    failed = [
        request
        for request in reversed(flow.page(effect.signal).requests)
        if request.failed and effect.signal.monotonic_s - request.at_s <= MAX_AGE_S
    ]
    if not failed:
        return
    if imported := IMPORT.search(effect.text):
        yield from (Link(one, RULE.via, 0.97) for one in failed[:1] if one.text == imported[1])
    if undefined := UNDEFINED.search(effect.text):
        yield from defining(undefined[1].lower(), failed)
    if "/" in effect.text:
        yield from addressed(effect.text, failed)


def defining(name: str, failed: list[Request]) -> Iterator[Link]:
    for request in failed:
        if request.resource == "Script" and name in urlsplit(request.text).path.lower():
            yield Link(request, RULE.via, 0.7)
            return


def addressed(text: str, failed: list[Request]) -> Iterator[Link]:
    for request in failed:
        whole = request.text in text
        path = urlsplit(request.text).path
        if whole or (len(path) >= MIN_PATH_CHARS and re.search(rf"{re.escape(path)}(?![\w/-])", text)):
            yield Link(request, RULE.via, 0.9 if whole else 0.8)
            return


RULE = Rule("named", "the message names it", find)
