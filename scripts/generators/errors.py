"""docs/errors.md: every error code, what it means, and the exit code of the command line."""

from __future__ import annotations

from collections.abc import Iterator

from firstcause.observer.errors import FirstcauseError

HEAD = """# Errors

<!-- Made by `make docs` from observer/errors.py: edit that. -->

Each error is one sentence that says what happened and one that says what to do next. In Python it is an exception with
`code`, `message` and `hint`; the command line prints it and exits with 2. Codes never change.

| code | exception | when |
| --- | --- | --- |
"""


def errors() -> str:
    """The whole page."""
    return HEAD + "".join(
        f"| `{kind.code}` | `{kind.__name__}` | {kind.__doc__} |\n" for kind in tree(FirstcauseError)
    )


def tree(root: type[FirstcauseError]) -> Iterator[type[FirstcauseError]]:
    for kind in root.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from tree(kind)
