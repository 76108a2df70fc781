"""How much an answer may say: tokens are counted as bytes, and what does not fit is left out and counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import msgspec

from .tool import Answer, Item

BYTES_PER_TOKEN: Final = 3.5
DEFAULT_TOKENS: Final = 1_000
LEAST_TOKENS: Final = 200
HARD_LIMIT_TOKENS: Final = 11_000
"""Of each form; both together, with their quoting, stay below the 25,000 that clients refuse an answer beyond."""
HEAD_BYTES: Final = 120
"""What an item says beside its sentences."""
LEAST_ITEM_BYTES: Final = 40
LEAST_SENTENCE_BYTES: Final = 60
MOST_SENTENCE_BYTES: Final = 300
ITEMS: Final = 10
ITEM_SHARE: Final = 0.6
"""Of the budget for all items, when there are so few that each may say more: fields take more room than lines."""
HEAD_SHARE: Final = 0.7
NEVER_CUT: Final = frozenset({"cursor", "pending", "recovered", "more"})

encode = msgspec.json.Encoder().encode


class Fitted(NamedTuple):
    """An answer as it is sent: either form says all of it, for clients that hand on the one or the other."""

    structured: dict[str, Any]
    text: str


def tokens_of(text: str | bytes) -> int:
    """A tokenizer that nobody needs to install: English and JSON have three to five bytes a token, ids fewer."""
    size = len(text.encode()) if isinstance(text, str) else len(text)
    return math.ceil(size / BYTES_PER_TOKEN)


def bounded(max_tokens: int) -> int:
    return min(max(max_tokens, LEAST_TOKENS), HARD_LIMIT_TOKENS)


def sentence_bytes(max_tokens: int, sentences: int = 1, items: int = ITEMS) -> int:
    """How long a sentence of an item may be so that ten of them, or all where there are fewer, fill what there is."""
    share = max(ITEM_SHARE / max(items, 1), 1 / ITEMS)
    room = int(bounded(max_tokens) * BYTES_PER_TOKEN * share) - HEAD_BYTES
    return min(max(room // sentences, LEAST_SENTENCE_BYTES), MOST_SENTENCE_BYTES)


def most_items(max_tokens: int) -> int:
    """How many items could fit at all; those beyond are counted and need not be worded."""
    return int(bounded(max_tokens) * BYTES_PER_TOKEN / LEAST_ITEM_BYTES)


def fitted(answer: Answer, max_tokens: int) -> Fitted:
    """As many items, or as much of the body, as fit; all of them where they do."""
    limit = bounded(max_tokens)
    answer = replace(answer, head=_short(answer.head, int(limit * HEAD_SHARE * BYTES_PER_TOKEN)))
    if answer.body:
        return _fitted_body(answer, limit)
    count = len(answer.items)
    could = min(count, most_items(limit))
    if could == count and _size(made := _with_items(answer, count)) <= limit:
        return made
    told = _most(could, lambda some: _size(_with_items(answer, some)) <= limit)
    return _with_items(answer, told)


def _short(head: Mapping[str, Any], limit_bytes: int) -> dict[str, Any]:
    """Fields that say most are told by their size alone as long as all of them together are too long."""
    kept = dict(head)
    sizes = {name: len(encode(value)) for name, value in kept.items() if name not in NEVER_CUT}
    while len(encode(kept)) > limit_bytes and sizes:
        name = max(sizes, key=lambda one: sizes[one])
        kept[name] = f"… {sizes.pop(name)} bytes, more with max_tokens"
    return kept


def _fitted_body(answer: Answer, limit: int) -> Fitted:
    whole = Fitted(
        {**(answer.whole or {"text": answer.body}), **answer.head}, _text(answer, [answer.body], answer.head)
    )
    if _size(whole) <= limit:
        return whole
    told = _most(len(answer.body), lambda chars: _size(_with_body(answer, chars)) <= limit)
    return _with_body(answer, told)


def _with_items(answer: Answer, told: int) -> Fitted:
    items = answer.items[:told]
    head = {**answer.head, **answer.after(told)}
    if told < len(answer.items):
        head["left_out"] = left_out(answer, answer.items[told:])
    structured = {answer.list_name: [item.fields for item in items], **head} if answer.list_name else head
    return Fitted(structured, _text(answer, [item.line for item in items], head))


def left_out(answer: Answer, items: list[Item]) -> dict[str, Any]:
    """What is not told: how much, how bad, and the call that tells it."""
    by_severity: dict[str, int] = {}
    for item in items:
        for severity, count in item.events.items():
            by_severity[severity] = by_severity.get(severity, 0) + count
    counted: dict[str, Any] = {answer.list_name: len(items)}
    if by_severity:
        counted |= {"events": sum(by_severity.values()), "by_severity": by_severity}
    return {**counted, "get": answer.rest}


def _with_body(answer: Answer, chars: int) -> Fitted:
    body = answer.body[:chars]
    missing = {
        "bytes": len(answer.body[chars:].encode()),
        "get": answer.rest or "the same call with more max_tokens",
    }
    head = {**answer.head, "left_out": missing}
    return Fitted({"text": f"{body}…", **head}, _text(answer, [f"{body}…"], head))


def _text(answer: Answer, lines: list[str], head: Mapping[str, Any]) -> str:
    """For a reader: the sentences first, then each field on a line of its own."""
    fields = [f"{name}: {_said(name, value)}" for name, value in head.items()]
    return "\n".join([*([answer.title] if answer.title else ()), *lines, *fields])


def _said(name: str, value: Any) -> str:
    if name == "left_out":
        counted = ", ".join(f"{count} {what}" for what, count in value.items() if isinstance(count, int))
        return f"{counted}{_severities(value.get('by_severity', {}))}; {value['get']}"
    return value if isinstance(value, str) else encode(value).decode()


def _severities(counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    return f" ({told})" if told else ""


def _size(made: Fitted) -> int:
    return max(tokens_of(encode(made.structured)), tokens_of(made.text))


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """The most that fit; a little less where counting what is left out takes more room than telling it."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    while low and not fits(low):
        low -= 1
    return low
