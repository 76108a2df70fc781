"""What bench/agent.py takes for the true cause of a story, what it counts as read, and how it compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from firstcause.api.stories import read_story
from firstcause.api.tools.budget import tokens_of

ROOT = Path(__file__).parents[2]

sys.path.insert(0, str(ROOT / "bench"))
try:
    from _agents import failed_requests, numbers_of  # pyright: ignore[reportMissingImports]
    from _truth import Account, is_said, true_words  # pyright: ignore[reportMissingImports]
    from agent import (  # pyright: ignore[reportMissingImports]
        DIGITS,
        SCENARIOS,
        Stamps,
        compared,
        musts_of,
        ratios,
        soon_figures,
        stamped_ms,
    )
finally:
    sys.path.pop(0)


def words_of(story: str) -> tuple[str, ...]:
    return true_words(read_story(ROOT / "e2e_fixtures" / story))


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("cart-add", ("/api/cart", "500")),
        ("token-refresh", ("/api/marks", "401", "/api/dates")),
        ("chunk-missing", ("/assets/composer.4f1d.js", "404")),
        ("partner-cors", ("/partner/flights", "CORS")),
        ("settings-save", ("/api/settings", "500")),
        ("sync-retry-loop", ("/api/bookmarks", "503")),
        ("detectors/reload_loop", ("/api/mails", "503")),
    ],
)
def test_the_true_cause_is_the_first_failure_of_a_story(story: str, words: tuple[str, ...]) -> None:
    assert words_of(story) == words


def test_there_are_eight_scenarios_and_each_has_words() -> None:
    assert len(set(SCENARIOS)) == 8
    assert all(words_of(name) for name in SCENARIOS)


@pytest.mark.parametrize(
    ("word", "text", "said"),
    [
        ("500", "answered 500 after", True),
        ("500", "status of 500 (Internal Server Error)", True),
        ("500", "=> [500]", True),
        ("500", "http://127.0.0.1:45001/", False),
        ("500", "id 01a1-500-7c", False),
        ("CORS", "blocked by cors policy", True),
        ("/api/cart", "POST http://127.0.0.1:1/api/cart", True),
        ("/api/cart", "/apiXcart", False),
    ],
)
def test_a_status_is_not_found_in_other_numbers(word: str, text: str, said: bool) -> None:
    assert is_said(word, text) is said


def test_a_cause_is_held_when_all_its_words_were_read_in_any_answers() -> None:
    account = Account(("/api/cart", "500"))
    account.read(["POST /api/cart"])
    assert account.missing == ["500"]
    account.read(["answered 500"])
    assert account.told() == {"found": True, "calls": 2, "bytes": 26, "tokens": 4 + 4}


def test_of_text_and_fields_the_larger_counts() -> None:
    text, fields = ["é" * 10], {"a": "x" * 30}
    account = Account(("x" * 30,))
    account.read(text)
    account.read(text, fields)
    assert account.size_bytes == 20 + len('{"a":""}') + 30
    assert account.tokens == tokens_of(b"x" * 20) + tokens_of(b"x" * 38)


def test_a_cause_that_was_not_read_is_told_as_missing() -> None:
    account = Account(("/api/cart",))
    account.read(["nothing"], failed=True)
    assert account.told() == {
        "found": False,
        "calls": 1,
        "bytes": 7,
        "tokens": 2,
        "refused": 1,
        "missing": ["/api/cart"],
    }


def test_of_requests_that_are_listed_the_failed_ones_are_opened() -> None:
    listed = "1. [GET] http://a/ => [200] OK\n2. [POST] http://a/b => [500] No\n3. [GET] http://a/c => [FAILED] net"
    assert list(failed_requests(listed)) == [2, 3]
    assert numbers_of("reqid=3 GET http://a/?reqid=x\nmsgid=4 [error]", "reqid") == [3]


def test_a_stamp_is_timed_when_it_is_first_read() -> None:
    stamps = Stamps()
    stamp = "1795291390114123".translate(DIGITS)
    stamps.take(f"high: Uncaught Error: stamp {stamp} at a.js")
    (first,) = stamps.lags_ms
    stamps.take(f"again: stamp {stamp}")
    assert stamps.lags_ms == [first]
    assert stamped_ms(stamp) == 1795291390114.123


def test_the_speed_up_is_that_of_the_medians() -> None:
    told = soon_figures([10.0, 20.0, 90.0], [1000.0, 2000.0, 5000.0])
    assert told["speed_up"] == 100
    assert told["waiting"] == {"seen": 3, "p50_ms": 20.0, "p95_ms": 90.0}


# --- comparing ---------------------------------------------------------------------------------------------------------


def told(size_bytes: int, found: bool = True) -> dict[str, Any]:
    return {"found": found, "bytes": size_bytes}


def test_only_what_both_found_is_compared() -> None:
    mine = {"a": told(100), "b": told(100), "c": told(100, found=False)}
    theirs = {"a": told(400), "b": told(100, found=False), "c": told(100)}
    assert ratios(mine, theirs) == {"a": 0.25}
    assert ratios(mine, theirs, before=(100, 600)) == {"a": 0.2}


def figures(ours_bytes: int, theirs_bytes: int) -> dict[str, Any]:
    names = ("firstcause", "playwright-mcp", "chrome-devtools-mcp")
    sizes = dict(zip(names, (ours_bytes, theirs_bytes, theirs_bytes), strict=True))
    return {
        "soon": {"stamps": 3, **soon_figures([10.0, 20.0, 30.0], [100.0])},
        "read": {name: {story: told(size) for story in SCENARIOS} for name, size in sizes.items()},
        "minute": {name: told(size) for name, size in sizes.items()},
    }


@pytest.mark.parametrize(("theirs_bytes", "ok"), [(1000, True), (999, False)])
def test_a_tenth_is_enough_and_more_is_not(theirs_bytes: int, ok: bool) -> None:
    measured = figures(100, theirs_bytes) if ok else figures(101, theirs_bytes)
    measured["ours_to"] = compared(measured)
    musts = {must.name: must.ok for must in musts_of(measured)}
    assert musts.pop("p95_ms")
    assert musts.pop("stamps_unseen")
    assert musts.pop("causes_found")
    assert len(musts) == 4
    assert set(musts.values()) == {ok}


def test_a_stamp_that_was_never_read_is_a_must_missed() -> None:
    measured = figures(1, 10)
    measured["soon"]["stamps"] = 4
    assert {must.name for must in musts_of(measured) if not must.ok} == {"stamps_unseen"}
