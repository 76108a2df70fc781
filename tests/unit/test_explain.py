"""Explanations: the way from the first cause in sentences, what is not proven, and how little there is to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.correlator.event import Cause, Event
from firstcause.correlator.evidence import REASONS
from firstcause.correlator.explain import explain
from firstcause.correlator.explanation import ExplainedChain
from firstcause.correlator.linked import Linked, failures, worst, worst_chain
from firstcause.correlator.look_next import PLACES, place_of

CHAIN = "019aa4e2-5c1d-7a70-9f00-0000000000c1"
BEGAN = datetime(2026, 11, 21, 2, 40, 47, tzinfo=UTC)


def name(number: int) -> str:
    return f"019aa4e2-5c1d-7a70-9f00-{number:012}"


def event(
    number: int,
    kind: str,
    summary: str,
    severity: Any = "high",
    cause: int = 0,
    confidence: float = 0.95,
    via: str = "task",
    at_ms: float | None = None,
    **fields: Any,
) -> Event:
    """Event `number`, 10 ms after the one before; `cause` is the number of its cause."""
    when = BEGAN + timedelta(milliseconds=10 * number if at_ms is None else at_ms)
    given: dict[str, Any] = {
        "id": name(number),
        "seq": number,
        "timestamp": when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z",
        "project": "shop",
        "session": "s",
        "page": "p1",
        "channel": "activity" if severity == "info" else "errors",
        "type": "error",
        "kind": kind,
        "severity": severity,
        "summary": summary,
        "correlation_id": CHAIN,
        "cause": Cause(id=name(cause), via=via, confidence=confidence) if cause else None,
        "fingerprint": f"f-{kind}",
        "count": 1,
        **fields,
    }
    return Event.model_validate(given)


CLICK = event(1, "user_action", "click on button#save", "info")
SAVE = event(
    2,
    "http_error",
    "POST /api/save answered 500 after 41 ms",
    cause=1,
    confidence=0.97,
    via="input",
    context={
        "method": "POST",
        "url": "/api/save",
        "status": 500,
        "trace_id": "4bf92f35",
        "at": "app.js:7:3 save",
    },
)
SAID = event(3, "console_error", "Failed to save", "medium", cause=2, context={"at": "app.js:10:3 onFailure"})
GONE = event(
    4,
    "selector_missing",
    '[data-status="success"] never appeared',
    cause=3,
    confidence=0.7,
    via="action-flow",
    context={"selector": '[data-status="success"]'},
)
FAILED = event(5, "assertion_failed", "The order was not saved", cause=4, confidence=1.0, via="published")
STORY = [CLICK, SAVE, SAID, GONE, FAILED]


def test_a_chain_reads_from_its_first_cause_to_the_failure() -> None:
    assert explain(STORY, name(5)).text == (
        f"assertion_failed (high) on p1 goes back to http_error (step 2), chain {CHAIN}\n"
        "1. 02:40:47.010 click on button#save\n"
        "2. +10 ms POST /api/save answered 500 after 41 ms at app.js:7:3 save\n"
        f"   because {REASONS['input']} (0.97)\n"
        "3. +20 ms Failed to save at app.js:10:3 onFailure\n"
        f"   because {REASONS['task']} (0.95)\n"
        '4. +30 ms [data-status="success"] never appeared\n'
        f"   because {REASONS['action-flow']} (0.70)\n"
        "5. +40 ms The order was not saved\n"
        f"   because {REASONS['published']} (1.00)\n"
        "Not proven: step 4 is likely, not sure\n"
        "Look at the server's log for trace 4bf92f35 at 2026-11-21T02:40:47.020Z\n"
        "Look at the code at app.js:10:3 onFailure"
    )


def test_without_an_event_it_is_the_last_of_the_worst() -> None:
    assert explain(STORY).event == FAILED
    assert explain(STORY[:3]).event == SAVE
    assert explain([CLICK]).event == CLICK


def test_the_worst_chain_is_taken_and_the_latest_of_equal_ones() -> None:
    other = event(10, "uncaught_exception", "x", correlation_id="c2")
    worse = event(11, "page_crash", "x", "critical", correlation_id="c3")
    late = event(12, "console_message", "x", "info", correlation_id="c4")
    assert explain([*STORY, late]).event == FAILED
    assert explain([*STORY, other, late]).event == other
    assert explain([other, *STORY, late]).event == FAILED
    assert explain([worse, other, *STORY, late]).event == worse


@pytest.mark.parametrize("summary", ["x" * 500, "ü" * 240, "short"])
def test_a_chain_of_six_is_read_in_less_than_1500_bytes(summary: str) -> None:
    long: Any = {"context": {"at": "a-long-bundle-name.js:1888:1288 " + "f" * 88, "url": "/api/" + "u" * 150}}
    vias = [*sorted(REASONS, key=lambda via: -len(REASONS[via]))[:5], ""]
    chain = [
        event(n, f"http_error{n}", summary, cause=n - 1, via=vias[n - 2], confidence=0.7, **long)
        for n in range(1, 7)
    ]
    beside = [event(n, f"kind{n}", summary, cause=2, **long) for n in range(10, 20)]
    maybe = {chain[0].id: [Cause(id=beside[0].id, via="named", confidence=0.4)] * 3}
    text = explain([*chain, *beside], chain[5].id, maybe).text
    assert len(text.encode()) < 1500
    for number in range(1, 7):
        assert f"\n{number}. " in text
    for sentence in (
        "It also led to: ",
        "Not proven: steps 2, 3, 4, 5, 6 are likely",
        "caused step 1 is not known",
        "Maybe",
        "Look at",
    ):
        assert sentence in text


def test_of_a_long_chain_the_beginning_and_the_end_are_told() -> None:
    chain = [event(n, f"kind{n}", f"happening {n}", cause=n - 1) for n in range(1, 31)]
    explanation = explain(chain, chain[-1].id)
    lines = explanation.text.splitlines()
    assert [line.split(".")[0] for line in lines if "happening" in line] == [
        "1",
        "2",
        "3",
        "4",
        "27",
        "28",
        "29",
        "30",
    ]
    assert "… 22 more" in lines
    assert len(explanation.json()["steps"]) == 30


def test_what_else_came_of_it_is_counted_by_kind() -> None:
    images = [
        event(n, "resource_failed", f"Image /{n}.png answered 404", "medium", cause=2) for n in range(10, 13)
    ]
    request = event(20, "request", "GET /ok answered 200", "info", cause=1)
    step = event(21, "step", "saved", "info", cause=1, channel="runs")
    explanation = explain([*STORY, *images, request, step], name(3))
    assert explanation.also == (GONE, FAILED, *images)
    fields = explanation.json()
    assert [(one["kind"], one.get("count", 1)) for one in fields["also"]] == [
        ("resource_failed", 3),
        ("selector_missing", 1),
        ("assertion_failed", 1),
    ]
    assert fields["also_count"] == 5
    line = next(line for line in explanation.text.splitlines() if line.startswith("It also"))
    assert line.startswith(
        "It also led to: 3 × resource_failed “Image /10.png answered 404”; selector_missing “"
    )


def test_what_repeats_itself_is_told_once() -> None:
    retries = [
        event(n, "request_failed", "GET /stock failed", cause=n - 1, confidence=0.9 - n / 100)
        for n in range(2, 8)
    ]
    gave_up = event(8, "uncaught_exception", "Uncaught Error: no stock", cause=7)
    lines = explain([CLICK, *retries, gave_up]).text.splitlines()
    assert [line for line in lines if line[0].isdigit()] == [
        "1. 02:40:47.010 click on button#save",
        "2. +10 ms GET /stock failed",
        "3-7. the same 5 times more, until +60 ms",
        "8. +70 ms Uncaught Error: no stock",
    ]
    assert f"   because {REASONS['task']} (0.83)" in lines
    twice = explain([CLICK, *retries[:2]]).text
    assert "\n3. +20 ms GET /stock failed\n" in twice


def test_what_has_only_the_page_in_common_is_counted() -> None:
    load = event(1, "navigation", "The page navigated to /", "info")
    other, another = (event(n, "resource_failed", "x", cause=1) for n in (10, 11))
    came_of_it = event(12, "console_warning", "x", "low", cause=3)
    explanation = explain([load, SAVE, SAID, other, another, came_of_it], SAID.id)
    assert (explanation.also, explanation.beside) == ((came_of_it,), 2)
    assert "\n2 more failures have only the page in common with this\n" in explanation.text
    assert explanation.json()["beside_count"] == 2
    assert explain([load, SAVE, other], SAVE.id).text.count("1 more failure has only") == 1


def test_what_is_not_known_is_said() -> None:
    alone = event(7, "uncaught_exception", "Uncaught TypeError: x", context={"at": "app.js:1:2"})
    assert explain([alone]).text == (
        f"uncaught_exception (high) on p1 has no known cause, chain {CHAIN}\n"
        "1. 02:40:47.070 Uncaught TypeError: x at app.js:1:2\n"
        "Not proven: what caused step 1 is not known\n"
        "Look at the code at app.js:1:2"
    )
    assert explain([CLICK, SAVE]).text.startswith(
        "http_error (high) on p1 is the first failure after user_action (step 1)"
    )
    assert explain([CLICK, SAVE]).not_proven == ()


def test_a_cause_that_is_not_kept_any_more_is_named() -> None:
    explanation = explain(STORY[2:])
    assert explanation.missing == name(2)
    assert f"; what caused step 1 is not kept any more ({name(2)})\n" in explanation.text


def test_weak_candidates_are_possibilities() -> None:
    alone = event(7, "uncaught_exception", "Uncaught TypeError: x")
    weak = [
        Cause(id=name(2), via="named", confidence=0.45),
        Cause(id="elsewhere", via="moon", confidence=0.3),
    ]
    text = explain([*STORY, alone], alone.id, {alone.id: weak, SAVE.id: weak}).text
    assert f"Maybe caused by: {SAVE.summary} (0.45, because {REASONS['named']})" in text
    assert "Maybe caused by: elsewhere (0.30, because of moon)" in text
    assert "Maybe" not in explain(STORY, SAID.id, {SAID.id: weak}).text


def test_pages_and_times_are_told_where_they_differ() -> None:
    chain = [
        event(1, "kind1", "one", page="p2", at_ms=500),
        event(2, "kind2", "two", cause=1, at_ms=15_000),
        event(3, "kind3", "three", cause=2, at_ms=400_000),
        event(4, "kind4", "four", cause=3, at_ms=100),
    ]
    lines = explain(chain, name(4)).text.splitlines()
    assert lines[1] == "1. 02:40:47.500 one [p2]"
    assert [lines[2], lines[4], lines[6]] == ["2. +14.5 s two", "3. +6 min three", "4. 02:40:47.100 four"]


def test_times_that_are_none_are_shown_as_they_are() -> None:
    odd = [
        event(n, f"kind{n}", "x", cause=n - 1, timestamp=when)
        for n, when in enumerate(["soon", "2026-11-21T02:40:47", "2026-11-21T02:40:48Z", ""], 1)
    ]
    assert "\n3. 02:40:48 x" in explain(odd, name(4)).text


def test_a_circle_of_published_causes_ends() -> None:
    explanation = explain([event(1, "a", "one", cause=2), event(2, "b", "two", cause=1)], name(1))
    assert [step.event.id for step in explanation.steps] == [name(2), name(1)]


def test_chains_that_turned_out_to_be_one_are_read_as_one() -> None:
    early = [one.model_copy(update={"correlation_id": "early"}) for one in (CLICK, SAVE)]
    late = [one.model_copy(update={"correlation_id": "late", "cause": None}) for one in (SAID, GONE)]
    notice = event(
        9, "chain_merged", "…", "info", correlation_id=None, context={"from": "late", "into": "early"}
    )
    last = event(
        10, "chain_merged", "…", "info", correlation_id=None, context={"from": "early", "into": "first"}
    )
    linked = Linked([*early, *late, notice, last])
    assert linked.chains() == [[*early, *late]]
    assert explain(linked, GONE.id).chain == "first"
    assert [one.id for one in explain(linked, GONE.id).also] == [SAVE.id, SAID.id]
    assert len(Linked([*early, *late]).chains()) == 2


def test_a_cause_that_was_found_late_is_a_step_like_any_other() -> None:
    told = SAVE.model_copy(update={"correlation_id": SAVE.id, "cause": None})
    found: Any = {"event": SAVE.id, "cause": CLICK.id, "via": "input", "confidence": 0.9}
    merged = found | {"from": SAVE.id, "into": CHAIN}
    notice = event(9, "chain_merged", "…", "info", context=merged)
    explanation = explain([CLICK, told, notice])
    assert [step.event.id for step in explanation.steps] == [CLICK.id, SAVE.id]
    assert (explanation.chain, explanation.steps[1].confidence) == (CHAIN, 0.9)
    known = Linked([CLICK, SAVE, notice.model_copy(update={"context": merged | {"cause": "x"}})])
    assert known.cause_of(known.events[SAVE.id]) == CLICK


def test_both_directions_of_a_link() -> None:
    linked = Linked(STORY)
    assert linked.cause_of(SAID) == SAVE
    assert linked.effects_of(SAVE) == [SAID]
    assert (linked.cause_of(CLICK), linked.effects_of(FAILED)) == (None, ())
    assert linked.chain_of(GONE) == STORY


def test_events_without_a_chain_are_joined_by_their_causes() -> None:
    loose = [one.model_copy(update={"correlation_id": None}) for one in STORY]
    other = event(9, "http_error", "x", correlation_id=None)
    assert Linked([*loose, other]).chains() == [loose, [other]]
    assert ", chain" not in explain(loose).text


def chain_of_failures(*severities: Any) -> Sequence[Event]:
    return [event(n, "k", "x", severity) for n, severity in enumerate(severities, 1)]


def test_failures_are_grouped_by_the_first_of_them() -> None:
    page = event(1, "navigation", "The page navigated to /", "info")
    save = event(2, "http_error", "x", cause=1)
    image = event(3, "resource_failed", "x", cause=1)
    retry = event(4, "request", "GET /api/save", "info", cause=2)
    said = event(5, "console_error", "x", cause=4)
    early = event(6, "uncaught_exception", "x", cause=7)
    late = event(7, "http_error", "told after what it caused", cause=1)
    groups = Linked([page, save, image, retry, said, early, late]).by_first_failure()
    assert [[one.seq for one in group] for group in groups] == [[3], [2, 5], [7, 6]]
    assert Linked([page]).by_first_failure() == []


def test_the_worst_is_the_last_of_the_most_severe_failures() -> None:
    assert worst(chain_of_failures("high", "critical", "critical", "low", "info")).seq == 3
    assert worst(chain_of_failures("info", "info")).seq == 2
    assert [one.seq for one in failures(chain_of_failures("info", "low", "info"))] == [2]
    quiet, bad, worse = (chain_of_failures(one) for one in ("info", "low", "high"))
    assert worst_chain([worse, quiet, bad]) is worse


def test_the_same_as_fields() -> None:
    fields = explain(STORY).json()
    assert ExplainedChain.model_validate(fields).model_dump(exclude_defaults=True) == fields
    assert fields["event"] == name(5)
    assert fields["first_failure"] == name(2)
    assert [step["id"] for step in fields["steps"]] == [name(n) for n in range(1, 6)]
    assert "because" not in fields["steps"][0]
    assert fields["steps"][3]["confidence"] == 0.7
    assert fields["look_at"][0].startswith("the server's log")
    assert fields["text"] == explain(STORY).text
    assert not {"also", "also_count", "maybe", "missing"} & fields.keys()


@pytest.mark.parametrize("kind", [*PLACES, "anything"])
def test_every_kind_says_where_to_look(kind: str) -> None:
    context = {
        "at": "a.js:1:2 f",
        "url": "/u",
        "method": "GET",
        "selector": "#s",
        "error": "net::ERR_FAILED",
    }
    place = place_of(event(1, kind, "x", context=context))
    assert place
    assert "  " not in place
    for empty in (event(1, kind, "x"), event(1, kind, "x", context={"at": ["no text"]})):
        assert "None" not in place_of(empty)


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["info", "low", "high"]), st.integers(0, 3)), min_size=1
    )
)
def test_whatever_is_linked_is_explained(drawn: list[tuple[int, Any, int]]) -> None:
    """Circles, causes that are gone and chains that merge are no reason to say nothing."""
    events = [
        event(
            number,
            f"kind{number % 3}",
            "x" * 200,
            severity,
            cause=cause,
            correlation_id=f"c{chain}" if chain else None,
        )
        for number, (cause, severity, chain) in enumerate(drawn, 1)
    ]
    notices = [
        event(1000 + n, "chain_merged", "…", "info", context={"from": f"c{n}", "into": f"c{(n + 1) % 3 + 1}"})
        for n in range(1, len(events) % 4)
    ]
    linked = Linked([*events, *notices])
    assert sorted(one.id for chain in linked.chains() for one in chain) == [one.id for one in events]
    grouped = sorted(one.id for group in linked.by_first_failure() for one in group)
    assert grouped == [one.id for one in failures(events)]
    for one in ("", *(each.id for each in events)):
        explanation = explain(linked, one)
        assert explanation.steps[-1].event.id == explanation.event.id
        assert len(explanation.text.encode()) < 2_000
        assert ExplainedChain.model_validate(explanation.json())


def test_a_flood_is_one_event_with_what_it_has_come_to() -> None:
    flood = event(4, "console_error", "stuck", "medium", cause=2)
    grown = [
        event(
            n,
            "console_error",
            f"stuck ({count} times in 2.0 s)",
            "medium",
            cause=2,
            count=count,
            context={"repeats": flood.id},
        )
        for n, count in ((5, 10), (6, 100))
    ]
    linked = Linked([*STORY, flood, *grown])
    [told] = [one for one in linked.events.values() if one.summary.startswith("stuck")]
    assert (told.id, told.count, told.summary) == (flood.id, 100, "stuck (100 times in 2.0 s)")
    assert explain(linked, grown[1].id) == explain(linked, flood.id)


def test_how_a_flood_went_on_is_an_event_of_its_own_where_its_beginning_is_not_kept() -> None:
    grown = event(
        5, "console_error", "stuck (10 times in 2.0 s)", "medium", count=10, context={"repeats": name(4)}
    )
    assert [one.id for one in Linked([grown]).events.values()] == [grown.id]
