"""Markdown: short, whole blocks only, and texts of pages as code."""

from __future__ import annotations

import re

import pytest

from firstcause.api.reports import markdown
from firstcause.api.reports.escaping import block, code, words
from firstcause.correlator.explain import explain

from .reported import HOSTILE, RUN, STORY, content, event


def test_a_failure_is_told_by_its_first_cause_and_explained() -> None:
    text = markdown.render(content(*STORY, title="nightly"))
    assert text.startswith("# nightly\n\n**1 different failure.**\n\n### 🔴 `assertion_failed`\n\n")
    assert "First cause: `POST /api/save answered 500 after 41 ms` at `app.js:7:3 save`" in text
    assert f"```text\n{explain(STORY).text}\n```" in text


def test_failed_tests_come_first_and_the_rest_is_a_table() -> None:
    text = markdown.render(content(*RUN))
    assert "**1 of 4 tests failed; 1 different failure beside them.**" in text
    assert text.index("test_save") < text.index("### Failures beside the tests")
    assert "| 🔵 | `console_warning` | `Prices may be stale` | p1 |" in text


def test_only_the_first_are_explained() -> None:
    many = [
        event(n, "console_error", f"No {n}", fingerprint=str(n), correlation_id=str(n)) for n in range(60)
    ]
    text = markdown.render(content(*many))
    assert text.count("```text") == 10
    assert text.count("\n| 🔴 |") == 40
    assert text.endswith("… and 10 more.\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_span_of_code_has_no_end_within(text: str) -> None:
    span = code(f"`{text}`")
    fence = re.match("`+", span)
    assert fence is not None
    assert re.findall(rf"(?<!`){fence[0]}(?!`)", span) == [fence[0], fence[0]]
    assert "\n" not in span


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_of_code_has_no_end_within(text: str) -> None:
    first, *within, last = block(f"{text}\n```\n{text}").split("\n")
    fence = first.removesuffix("text")
    assert last == fence
    assert not any(line.startswith(fence) for line in within)


@pytest.mark.parametrize("text", HOSTILE)
def test_words_hold_neither_markdown_nor_html(text: str) -> None:
    assert not re.search(r"[<>`*\[\]|@\\]|&(?!#\d+;)", words(text))
    assert words("Nightly run 7: shop, 3 of 5") == "Nightly run 7: shop, 3 of 5"


def test_a_row_keeps_its_columns() -> None:
    noisy = event(77, "a|b", "x | y | `z`", correlation_id="c", page="p|1")
    text = markdown.render(content(*RUN, noisy))
    (row,) = [line for line in text.splitlines() if "| y" in line or "\\| y" in line]
    assert len(re.split(r"(?<!\\)\|", row)) == 6
