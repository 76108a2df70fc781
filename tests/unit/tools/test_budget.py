"""An answer never says more than it may, and what it leaves out is counted to the last event."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.tools.budget import HARD_LIMIT_TOKENS, LEAST_TOKENS, Fitted, bounded, fitted, tokens_of
from firstcause.api.tools.tool import Answer, Item
from firstcause.correlator.event import SEVERITIES

MAX_BOTH_FORMS = 25_000

severities = st.dictionaries(st.sampled_from(SEVERITIES), st.integers(1, 500), min_size=1, max_size=3)
sentences = st.text(max_size=300)
items = st.lists(
    st.builds(lambda text, events: Item({"said": text}, f"- {text}", events), sentences, severities),
    max_size=60,
)
heads = st.dictionaries(st.sampled_from(["settings", "reason", "page"]), st.text(max_size=4_000), max_size=3)
budgets = st.integers(-5, 60_000)


def size_of(made: Fitted) -> int:
    return max(
        tokens_of(json.dumps(made.structured, ensure_ascii=False, separators=(",", ":"))),
        tokens_of(made.text),
    )


def listed(head: dict[str, Any], told: list[Item]) -> Answer:
    return Answer(head, told, list_name="things", rest="call again")


@given(heads, items, budgets)
def test_items_never_take_more_than_the_budget(
    head: dict[str, Any], told: list[Item], max_tokens: int
) -> None:
    made = fitted(listed(head, told), max_tokens)
    limit = bounded(max_tokens)
    assert LEAST_TOKENS <= limit <= HARD_LIMIT_TOKENS
    assert size_of(made) <= limit * 1.1


@given(heads, items, budgets)
def test_what_is_left_out_is_counted_exactly(head: dict[str, Any], told: list[Item], max_tokens: int) -> None:
    made = fitted(listed(head, told), max_tokens)
    count = len(made.structured["things"])
    assert made.structured["things"] == [item.fields for item in told[:count]]
    missing = made.structured.get("left_out", {"things": 0, "by_severity": {}, "events": 0})
    assert count + missing["things"] == len(told)
    left: Counter[str] = Counter()
    for item in told[count:]:
        left.update(item.events)
    assert missing["by_severity"] == left
    assert missing["events"] == left.total()


@given(
    st.lists(st.text("abc é", min_size=30, max_size=80), min_size=100, max_size=300), st.integers(600, 3_000)
)
def test_a_budget_is_used_when_there_is_enough_to_say(said: list[str], max_tokens: int) -> None:
    made = fitted(listed({}, [Item({"said": text}, text, {"low": 1}) for text in said]), max_tokens)
    if "left_out" in made.structured:
        assert size_of(made) >= max_tokens * 0.9


@given(heads, st.text(min_size=1, max_size=60_000), budgets)
def test_a_body_is_cut_and_says_so(head: dict[str, Any], body: str, max_tokens: int) -> None:
    made = fitted(Answer(head, body=body), max_tokens)
    assert size_of(made) <= bounded(max_tokens) * 1.1
    if "left_out" in made.structured:
        kept = made.structured["text"].removesuffix("…")
        assert body.startswith(kept)
        assert made.structured["left_out"]["bytes"] == len(body.encode()) - len(kept.encode())
    else:
        assert made.structured["text"] == body


def test_the_largest_answer_stays_below_what_clients_refuse_in_both_forms_together() -> None:
    made = fitted(listed({}, [Item({"said": "x" * 400}, "x" * 400, {"low": 1})] * 3_000), 1_000_000)
    assert made.structured["left_out"]["things"] > 0
    both = json.dumps(
        {"content": [{"type": "text", "text": made.text}], "structuredContent": made.structured}
    )
    assert tokens_of(both) < MAX_BOTH_FORMS


def test_tokens_are_bytes_not_characters() -> None:
    assert tokens_of("x" * 35) == 10
    assert tokens_of("é" * 35) == 20
    assert tokens_of("") == 0
    assert tokens_of("x") == 1
