"""What a scripted agent must have read of a story before it holds the true cause, and the account of what it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from firstcause.api.stories import Expected, Matcher, Story
from firstcause.api.tools.budget import tokens_of

NO_FAILURES = frozenset({"user_action", "navigation", "request", "websocket_opened", "page_opened"})
PUBLISHED = "assertion_failed"  # by a test, and none runs here


def true_words(story: Story) -> tuple[str, ...]:
    """Where the first failure is that led to each last one: its path, and its status if it was answered.

    No words of our own findings: only we would have them.
    """
    firsts = [_first_failure(story, failure) for failure in _last_failures(story)]
    return tuple(dict.fromkeys(word for first in firsts for word in _places(story, first)))


def _last_failures(story: Story) -> list[Expected]:
    told = [one for one in story.expected if one.kind not in NO_FAILURES | {PUBLISHED}]
    causes = [cause for one in told for cause in _causes(one)]
    return [one for one in told if not any(_same(cause, one) for cause in causes)]


def _first_failure(story: Story, failure: Expected) -> Matcher:
    """The uppermost on the way to its causes that is a failure itself."""
    first: Matcher = failure
    walked: list[Matcher] = []
    current: Matcher | None = failure
    while current is not None and current not in walked:
        walked.append(current)
        if current.kind not in NO_FAILURES:
            first = current
        told = next((one for one in story.expected if _same(current, one)), None)
        current = next(iter(_causes(told)), None) if told is not None else None
    return first


def _causes(one: Expected) -> list[Matcher]:
    return one.cause if isinstance(one.cause, list) else [one.cause] if one.cause is not None else []


def _same(meant: Matcher, one: Matcher) -> bool:
    return (meant.kind, meant.url) == (one.kind, one.url) and (meant.text or one.text) == one.text


def _places(story: Story, first: Matcher) -> Iterator[str]:
    path = urlsplit(first.url or "").path
    if path:
        yield path
    for route, answer in story.routes.items():
        if route.split(" ", 1)[1] == path and (answer.status or 0) >= 400:
            yield str(answer.status)
    if first.kind == "cors_blocked":
        yield "CORS"


def is_said(word: str, text: str) -> bool:
    """A status is not found in a port or an id."""
    edge = r"(?<![\w-]){}(?![\w-])" if word.isdecimal() else "{}"
    return re.search(edge.format(re.escape(word)), text, re.IGNORECASE) is not None


@dataclass(slots=True)
class Account:
    """All that an agent has read, and by how many calls."""

    words: tuple[str, ...]
    calls: int = 0
    refused: int = 0
    size_bytes: int = 0
    tokens: int = 0
    said: list[str] = field(default_factory=list)

    def read(
        self, texts: list[str], structured: dict[str, Any] | None = None, *, failed: bool = False
    ) -> str:
        """Count an answer. Clients hand on its text or its fields: the larger of both counts."""
        text = "\n".join(texts)
        larger = max(text.encode(), msgspec.json.encode(structured) if structured else b"", key=len)
        self.calls += 1
        self.refused += failed
        self.size_bytes += len(larger)
        self.tokens += tokens_of(larger)
        self.said.append(text)
        return text

    @property
    def missing(self) -> list[str]:
        said = "\n".join(self.said)
        return [word for word in self.words if not is_said(word, said)]

    @property
    def holds(self) -> bool:
        return not self.missing

    def told(self) -> dict[str, Any]:
        return {
            "found": self.holds,
            "calls": self.calls,
            "bytes": self.size_bytes,
            "tokens": self.tokens,
            **({"refused": self.refused} if self.refused else {}),
            **({"missing": self.missing} if not self.holds else {}),
        }
