"""A failing test is told its first cause by evidence: of its own page and time, in few lines, and nothing is claimed without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from firstcause.api.publishing import event_of
from firstcause.api.testing.failure import Failure
from firstcause.api.testing.observed import Observed, SeenPage, Waiting
from firstcause.api.testing.publications import Where
from firstcause.api.testing.steps import Step
from firstcause.api.testing.story import Looked, Story
from firstcause.api.wire import Publication
from firstcause.correlator.engine import Engine, iso_ms
from firstcause.correlator.event import Cause, Event
from firstcause.correlator.evidence import REASONS
from firstcause.observer.cdp.targets import TargetOpened
from firstcause.observer.domains.page import DialogOpened, Navigated
from firstcause.observer.domains.watchdog import PageHang
from firstcause.observer.signal import StackFrame

from . import flows
from .flows import SITE
from .signals import WALL_MS

WHERE = Where("tests/test_shop.py", 14)
MISSING = Failure(
    "selector_missing",
    "Locator expected to be visible",
    is_assertion=True,
    locator='get_by_test_id("row")',
    expected="visible",
    matches=0,
)


class Browser:
    """What a story needs of an observed browser, without one: the engine of some literal signals."""

    def __init__(self, *told: flows.Story) -> None:
        self.told = told
        self.engine = told[0].engine
        self.pages = {one.page: SeenPage(one.page, f"{SITE}/", context=f"c{one.page}") for one in told}
        self.published: list[Event] = []

    @property
    def events(self) -> list[Event]:
        return [event for one in self.told for event in one.events] + self.published

    def publish(self, publication: Publication, cause: Cause | None = None) -> Event:
        event = event_of(publication, "tests", "tests")
        if not publication.timestamp:
            event = event.model_copy(update={"timestamp": iso_ms(self.now_ms)})
        joined = self.engine.join(event.model_copy(update={"cause": cause}))
        self.published += joined
        return joined[-1]

    @property
    def now_ms(self) -> float:
        return WALL_MS + max(one.now_s for one in self.told) * 1000 + 500

    def foreign_to(self, name: str) -> frozenset[str]:
        return frozenset(other for other in self.pages if name and other != name)

    def weak_of(self, event_id: str) -> tuple[Cause, ...]:
        return self.engine.chains.weak_of(event_id)


def looked(
    browser: Browser,
    failure: Failure,
    page: str = "p1",
    waiting: Sequence[Waiting] = (),
    story: Story | None = None,
) -> Looked:
    for one in browser.told:
        one.events += one.engine.advance(one.now_s + 5)
    story = story or Story("test_shop.py::test_it")
    told = story.look(cast("Observed", browser), failure, page, WHERE, browser.now_ms, waiting)
    causes = [event.cause for event in told.events if event.cause is not None]
    assert [cause.via for cause in causes if cause.via not in REASONS] == []  # all are told in words
    return told


def lines(told: Looked) -> list[str]:
    return told.report.text.splitlines()


def properties(told: Looked) -> dict[str, str]:
    return dict(told.report.properties)


def failed_click() -> flows.Story:
    story = flows.Story().load()
    request, flow = story.ask("/api/cart", story.act("#add"))
    return story.acted().answer(request, "/api/cart", 500).log("The cart failed", flow)


def test_a_failed_request_behind_a_missing_element_is_the_first_cause() -> None:
    told = looked(Browser(failed_click()), MISSING)
    assert lines(told)[0].startswith("First cause: GET /api/cart answered 500") or lines(told)[0].startswith(
        "Likely cause: GET /api/cart answered 500"
    )
    assert properties(told)["firstcause.cause_kind"] == "http_error"
    chain = [event.kind for event in told.events]
    assert chain[-2:] == ["selector_missing", "assertion_failed"]


def test_where_the_test_failed_and_on_which_page_is_said() -> None:
    text = looked(Browser(failed_click()), MISSING).report.text
    assert 'Failed at tests/test_shop.py:14: Locator expected to be visible, get_by_test_id("row")' in text
    assert f"Page: {SITE}/ (p1)" in text


def test_what_only_is_likely_is_not_told_as_sure() -> None:
    assert lines(looked(Browser(failed_click()), MISSING))[0].startswith("Likely cause: ")


def test_a_selector_that_finds_nothing_on_a_healthy_page_is_itself_the_trouble() -> None:
    told = looked(Browser(flows.Story().load()), MISSING)
    assert lines(told)[0].startswith(
        'Likely cause: get_by_test_id("row") finds nothing, and nothing failed on the page'
    )
    assert "firstcause.cause_kind" not in properties(told)


def test_the_failures_of_another_browser_context_are_not_meant() -> None:
    mine = flows.Story(Engine("shop"), page="p1").load()
    other = flows.Story(mine.engine, page="p2").load()
    request, _ = other.ask("/api/stock", other.act("#refresh"))
    other.acted().answer(request, "/api/stock", 503)
    told = looked(Browser(mine, other), MISSING)
    assert "/api/stock" not in told.report.text
    assert all(event.page != "p2" for event in told.events)


def test_an_element_that_covers_the_one_to_be_clicked_is_named() -> None:
    blocked = Failure(
        "selector_blocked",
        "Locator.click: Timeout",
        locator='locator("#buy")',
        overlay='<div id="cookies"></div>',
    )
    told = looked(Browser(flows.Story().load()), blocked)
    assert lines(told)[0] == 'First cause: <div id="cookies"></div> covers locator("#buy")'


def test_an_overlay_after_a_failed_action_goes_back_to_that() -> None:
    blocked = Failure(
        "selector_blocked", "Locator.click: Timeout", locator='locator("#buy")', overlay="<dialog>"
    )
    told = looked(Browser(failed_click()), blocked)
    assert "/api/cart answered 500" in told.report.text


def test_a_page_that_does_not_answer_is_the_cause_of_what_does_not_appear() -> None:
    story = flows.Story().load()
    story.act("#build")
    story.wait(1.2).signal(
        PageHang(duration_ms=1_200, busy_with="script", url=f"{SITE}/"),
        stack=(StackFrame("buildReport", f"{SITE}/report.js", 4, 3),),
    )
    told = looked(Browser(story), MISSING)
    assert lines(told)[0].startswith(
        "First cause: The page has not answered for 1.2 s, busy in report.js:4:3"
    )


def test_an_open_dialog_is_the_cause_of_what_does_not_happen() -> None:
    story = flows.Story().load()
    story.signal(DialogOpened("confirm", "Really?"))
    told = looked(Browser(story), Failure("timeout", "Page.wait_for_url: Timeout 400ms exceeded."))
    assert "confirm() is open: Really?" in lines(told)[0]


def test_a_request_without_an_answer_is_the_likely_cause_when_nothing_failed() -> None:
    story = flows.Story().load()
    story.act("#search")
    browser = Browser(story)
    waiting = Waiting("p1", "GET", f"{SITE}/api/search", browser.now_ms - 400)
    told = looked(browser, MISSING, waiting=[waiting])
    assert lines(told)[0].startswith("Likely cause: GET /api/search had no answer yet after ")


def test_a_request_whose_page_was_left_before_the_answer_goes_back_to_where_it_went() -> None:
    story = flows.Story().load()
    story.act("#save")
    sent_ms = WALL_MS + story.now_s * 1000
    story.wait(0.1).signal(Navigated(f"{SITE}/elsewhere"), loader_id="L9")
    waiting = Waiting("p1", "PUT", f"{SITE}/api/address", sent_ms, left_ms=story.signals[-1].wall_ms)
    told = looked(Browser(story), Failure("assertion", "no 'Saved'", is_assertion=True), waiting=[waiting])
    assert lines(told)[0] == "Likely cause: PUT /api/address had no answer before the page went to /elsewhere"
    assert "because the page went there meanwhile (0.90)" in told.report.text


def test_a_request_that_waited_before_the_last_action_is_not_blamed() -> None:
    story = flows.Story().load()
    waiting = Waiting("p1", "GET", f"{SITE}/poll", WALL_MS + story.now_s * 1000)
    story.wait(1).act("#search")
    assert "/poll" not in looked(Browser(story), MISSING, waiting=[waiting]).report.text


def test_a_failure_of_the_page_load_is_the_cause_if_it_is_the_only_one() -> None:
    story = flows.Story().load()
    request, _ = story.ask("/api/orders")
    story.answer(request, "/api/orders", 500)
    told = looked(Browser(story), MISSING)
    assert lines(told)[0].startswith("Likely cause: GET /api/orders answered 500")


def test_of_several_failures_of_the_page_load_the_worst_is_meant() -> None:
    story = flows.Story().load()
    orders, _ = story.ask("/api/orders")
    visits, _ = story.ask("/api/visits")
    story.answer(orders, "/api/orders", 500).wait(1).answer(visits, "/api/visits", 404)
    told = looked(Browser(story), MISSING)
    assert "/api/orders answered 500" in lines(told)[0]


def test_a_page_that_went_elsewhere_is_why_its_scripts_end() -> None:
    story = flows.Story().load()
    story.wait(1).signal(Navigated(f"{SITE}/elsewhere"), loader_id="L9")
    told = looked(Browser(story), Failure("navigated_away", "Page.evaluate: Execution context was destroyed"))
    assert lines(told)[0].startswith("First cause: The page navigated to /elsewhere")


def test_an_ambiguous_selector_is_no_failure_of_the_page() -> None:
    ambiguous = Failure("selector_ambiguous", "strict mode violation", locator='locator(".row")', matches=3)
    assert (
        looked(Browser(flows.Story().load()), ambiguous).report.first_cause
        == 'locator(".row") finds 3 elements'
    )


def test_a_report_has_25_lines_at_most() -> None:
    story = flows.Story().load()
    flow = story.act("#start")
    for number in range(30):
        request, flow = story.ask(f"/api/step/{number}", flow)
        story.answer(request, f"/api/step/{number}", 500 + number % 5)
    assert len(lines(looked(Browser(story), MISSING))) <= 25


def test_secrets_of_the_page_and_of_the_message_stay_out() -> None:
    told = looked(
        Browser(flows.Story().load()),
        Failure(
            "assertion",
            "Page URL expected to be 'http://x/?token=s3cr3t-t0ken-value'",
            is_assertion=True,
            expected="http://x/?token=s3cr3t-t0ken-value",
            received="http://x/?access_token=s3cr3t-t0ken-value",
        ),
    )
    everything = (
        told.report.text + str(told.report.properties) + "".join(event.line() for event in told.events)
    )
    assert "s3cr3t-t0ken-value" not in everything


def test_the_assertion_of_another_test_on_the_same_page_is_no_cause() -> None:
    browser = Browser(flows.Story().load())
    looked(browser, MISSING)
    browser.published.clear()
    told = looked(browser, MISSING)
    assert "nothing failed on the page" in lines(told)[0]


def test_a_step_leads_to_the_action_that_it_does() -> None:
    story = flows.Story().load()
    browser = Browser(story)
    test = Story("test_shop.py::test_it")
    at_ms = WALL_MS + story.now_s * 1000
    test.step(Step("Locator.click", "#add", "", "test_shop.py:3", at_ms), cast("Observed", browser))
    story.act("#add")
    action = next(event for event in story.events if event.kind == "user_action")
    step = test.steps[0]
    assert (step.kind, step.summary, step.context["at"]) == ("step", "Locator.click #add", "test_shop.py:3")
    assert action.cause is not None
    assert action.cause.id == step.id


@pytest.mark.parametrize("kind", ["selector_stale", "selector_invalid"])
def test_every_kind_of_broken_selector_is_told_as_one(kind: Any) -> None:
    told = looked(Browser(flows.Story().load()), Failure(kind, "…", locator='locator("#a")'))
    assert told.events[-2].kind == kind
    assert told.events[-2].channel == "selectors"


def test_a_failure_that_no_page_is_known_for_is_told_all_the_same() -> None:
    story = flows.Story().load()
    other = flows.Story(story.engine, page="p2")
    other.signal(TargetOpened("page"))
    told = looked(Browser(story, other), Failure("assertion", "assert 1 == 2", is_assertion=True), page="")
    assert told.failed.kind == "assertion_failed"
