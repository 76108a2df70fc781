"""Reads the message of a failed test: Playwright's expectations and actions, Selenium's errors, plain asserts."""

from __future__ import annotations

from . import assert_messages, playwright_messages, selenium_messages
from .failure import Failure

READERS = (playwright_messages.read, selenium_messages.read, assert_messages.read)
MAX_MESSAGE_CHARS = 20_000


def read(error: BaseException) -> Failure:
    """Only its text and the names of its classes count: whatever raised it need not be installed here."""
    message = _text_of(error)[:MAX_MESSAGE_CHARS]
    classes = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__]
    return read_text(message, classes)


def read_text(message: str, classes: list[str]) -> Failure:
    """`classes` are the full names of the error's class and of those that it is derived from, its own first."""
    for reader in READERS:
        failure = reader(message, classes)
        if failure is not None:
            return failure
    name = classes[0].rpartition(".")[2] if classes else "Error"
    first = message.strip().partition("\n")[0]
    return Failure("other", f"{name}: {first}" if first else name)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a user's exception may fail to tell of itself
        return ""
