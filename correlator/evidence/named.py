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
    if script := undefined_by(effect, flow):
        yield Link(script, RULE.via, 0.75)
    if "/" in effect.text:
        yield from addressed(effect.text, failed)


def undefined_by(effect: Effect, flow: Flow) -> Request | None:
    """The failed script whose name says that it should have defined what is missing now."""
    undefined = UNDEFINED.search(effect.text) if effect.kind == "error" else None
    if undefined is None:
        return None
    name = undefined[1].lower()
    return next(
        (
            request
            for request in reversed(flow.page(effect.signal).requests)
            if request.failed and request.resource == "Script" and name in file_name(request.text)
        ),
        None,
    )


def file_name(url: str) -> str:
    return urlsplit(url).path.lower().rpartition("/")[2].replace("-", "").replace("_", "")


def addressed(text: str, failed: list[Request]) -> Iterator[Link]:
    for request in failed:
        whole = request.text in text
        path = urlsplit(request.text).path
        if whole or (len(path) >= MIN_PATH_CHARS and re.search(rf"{re.escape(path)}(?![\w/-])", text)):
            yield Link(request, RULE.via, 0.9 if whole else 0.8)
            return


RULE = Rule("named", "the message names it", find)
