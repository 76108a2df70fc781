"""Broken rules of accessibility: each once for a document, and again when much more of it is there."""

from __future__ import annotations

from firstcause.correlator.detectors.a11y_violation import A11yViolation
from firstcause.correlator.engine import Engine
from firstcause.observer.domains.accessibility import Violation

from ..flows import Story

HELP = "Buttons must have discernible text"


def story() -> Story:
    return Story(Engine("shop", detectors=(A11yViolation,))).load()


def broken(
    on: Story, count: int, rule: str = "button-name", impact: str = "critical", loader: str = "L1"
) -> Story:
    nodes = tuple(f"#b{number}" for number in range(min(count, 3)))
    return on.signal(Violation(rule, impact, count, nodes, HELP), loader_id=loader, element=nodes[0])


def told(of: Story) -> list[tuple[str, int]]:
    return [
        (str(event.context["rule"]), event.count) for event in of.events if event.kind == "a11y_violation"
    ]


def test_it_says_what_is_wrong_with_which_elements() -> None:
    page = broken(story(), 5)
    event = page.event(HELP)
    assert event.summary == "Buttons must have discernible text: #b0 and 4 more"
    assert (event.channel, event.type, event.severity) == ("selectors", "accessibility", "high")
    assert event.context == {"rule": "button-name", "impact": "critical", "nodes": ["#b0", "#b1", "#b2"]}
    assert event.cause is None
    assert len(event.line()) < 500


def test_one_element_is_told_alone() -> None:
    assert broken(story(), 1).event(HELP).summary == "Buttons must have discernible text: #b0"


def test_only_what_axe_calls_grave_is_high() -> None:
    page = story()
    for impact in ("critical", "serious", "moderate", "minor"):
        broken(page, 1, f"rule-{impact}", impact)
    severities = [event.severity for event in page.events if event.kind == "a11y_violation"]
    assert severities == ["high", "high", "low", "low"]


def test_a_rule_is_told_once_for_a_document_and_again_at_ten_times_as_many() -> None:
    page = story()
    broken(page, 2).wait(30)
    broken(page, 17).wait(30)
    assert told(page) == [("button-name", 2)]
    broken(page, 1)
    assert told(page) == [("button-name", 2), ("button-name", 20)]
    first, again = [event for event in page.events if event.kind == "a11y_violation"]
    assert again.context["repeats"] == first.id
    assert again.correlation_id == first.correlation_id


def test_rules_documents_and_pages_are_kept_apart() -> None:
    page = story()
    broken(page, 1)
    broken(page, 1, "image-alt")
    page.wait(60)
    broken(page, 1, loader="L2")
    other = Story(page.engine, page="p2").load()
    other.now_s = page.now_s
    broken(other, 1)
    assert told(page) == [("button-name", 1), ("image-alt", 1), ("button-name", 1)]
    assert told(other) == [("button-name", 1)]


def test_secrets_in_selectors_are_hidden() -> None:
    page = story()
    node = 'a[name="bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc"]'
    page.signal(Violation("link-name", "serious", 1, (node,), "Links must have text"), loader_id="L1")
    assert "4eC39HqLyjWDarjtT1zdp7dc" not in page.event("Links").line()
