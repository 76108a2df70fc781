"""docs/errors.md: every error code, what it means, and the HTTP status it comes with."""

from __future__ import annotations

from collections.abc import Iterator

from firstcause.api import errors as delivering
from firstcause.api import settings
from firstcause.api.mcp import extra, install
from firstcause.api.tools import tool as tools
from firstcause.observer import errors as observing

# Which modules happen to be imported is no business of the page.
MODULES = frozenset(module.__name__ for module in (observing, delivering, settings, extra, install, tools))

HEAD = """# Errors

<!-- Made by `make docs` from observer/errors.py, api/errors.py and api/settings.py: edit those. -->

Each error is one sentence that says what happened and one that says what to do next. In Python it is an exception with
`code`, `message` and `hint`; the command line prints it and exits with 2; HTTP answers with the status, the stream with
an `error` frame. Codes never change.

| code | exception | HTTP | when |
| --- | --- | --- | --- |
"""


def errors() -> str:
    """The whole page."""
    return HEAD + "".join(
        f"| `{kind.code}` | `{kind.__name__}` | {getattr(kind, 'status', '')} | {kind.__doc__} |\n"
        for kind in tree(observing.FirstcauseError)
    )


def tree(root: type[observing.FirstcauseError]) -> Iterator[type[observing.FirstcauseError]]:
    for kind in root.__subclasses__():
        if "code" in vars(kind) and kind.__module__ in MODULES:
            yield kind
        yield from tree(kind)
