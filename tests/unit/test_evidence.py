"""What causes what: each rule of evidence on a story of its own, and what is better left unknown."""

from __future__ import annotations

import pytest

from firstcause.correlator.evidence import REASONS, RULES
from firstcause.observer.cdp.targets import TargetOpened
from firstcause.observer.domains.audits import Issue
from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.network import RequestSent, ResponseReceived
from firstcause.observer.domains.page import Navigated, NavigationRequested
from firstcause.observer.domains.page_script import FrameScript, LongFrame, SelectorMatches
from firstcause.observer.domains.runtime import ExceptionThrown
from firstcause.observer.domains.tasks import (
    ActionBegan,
    ElementFailed,
    ElementHandled,
    ElementRemoved,
    FetchIntercepted,
    MessageSent,
    RealmStarted,
    RequestMade,
    TaskNavigates,
)

from .flows import SITE, Story, at


def test_every_rule_says_in_words_why_it_is_believed() -> None:
    assert {rule.via for rule in RULES} <= REASONS.keys()
    assert len({rule.via for rule in RULES}) == len(RULES)
    assert all(reason and not reason.endswith(".") for reason in REASONS.values())


def test_a_click_an_answer_and_an_error_are_one_chain() -> None:
    story = Story().load()
    click = story.act("#save")
    request, flow = story.ask("/api/save", click)
    story.acted().wait(0.05).answer(request, "/api/save", 500).log("Failed to save", flow).end()
    assert story.link("/api/save answered 500", "click on #save") == ("task", 0.95)
    assert story.link("Failed to save", "/api/save answered 500") == ("task", 0.92)
    assert len({story.event(text).correlation_id for text in ("#save", "answered 500", "Failed")}) == 1


def test_an_async_function_that_goes_on_makes_it_surer() -> None:
    story = Story().load()
    request, flow = story.ask("/api/save", story.act("#save"), at("save", 10), at("onClick", 3))
    story.answer(request, "/api/save", 500).throw("Error: HTTP 500", flow, at("save", 12)).end()
    assert story.link("HTTP 500", "answered 500") == ("task", 0.97)


def test_two_flows_of_one_call_site_keep_apart() -> None:
    story = Story().load()
    first, flow_1 = story.ask("/api/rows/1", story.act("#first"), at("remove", 10))
    second, flow_2 = story.ask("/api/rows/2", story.act("#second"), at("remove", 10))
    story.answer(second, "/api/rows/2", 500).answer(first, "/api/rows/1", 500)
    story.wait(0.1).log("row 1 stays", f"{flow_1}~t").wait(0.1).log("row 2 stays", f"{flow_2}~t").end()
    assert story.link("row 1 stays", "/api/rows/1 answered")
    assert story.link("row 2 stays", "/api/rows/2 answered")
    chains = [story.event(text).correlation_id for text in ("row 1 stays", "row 2 stays")]
    assert chains[0] != chains[1]


def test_an_error_in_the_handler_is_the_actions() -> None:
    story = Story().load()
    story.throw("ReferenceError: draw is not defined", story.act("#chart")).end()
    assert story.link("draw is not defined", "click on #chart") == ("task", 0.95)


def test_what_no_task_is_known_for_is_left_unknown() -> None:
    story = Story().load()
    click = story.act("#save")
    request, _ = story.ask("/api/save", click)
    story.acted().answer(request, "/api/save", 500).wait(0.2).log("the clock stopped", "").end()
    assert story.event("the clock stopped").cause is None


def test_a_context_holds_for_what_follows_at_once() -> None:
    story = Story().load()
    request, flow = story.ask("/api/save", story.act("#save"))
    story.acted().answer(request, "/api/save", 500).log("Failed to save", flow)
    story.wait(0.3).log("somebody else").end()
    assert story.event("somebody else").cause is None


def test_an_interval_that_brings_something_at_every_tick_does_so_by_itself() -> None:
    story = Story().load()
    for tick in (1, 2, 3):
        request, flow = story.ask(f"/poll/{tick}", f"{story.realm}:0~i1.{tick}")
        story.answer(request, f"/poll/{tick}", 503).log(f"poll {tick} failed", flow).wait(0.1)
    story.end()
    assert story.link("/poll/2 answered", "navigated to") == ("task", 0.75)
    assert story.link("poll 2 failed", "/poll/2 answered")


def test_what_an_interval_brings_now_and_then_is_left_unknown() -> None:
    story = Story().load()
    story.act("#add")
    story.acted().wait(2.5)
    request, flow = story.ask("/jobs/1", f"{story.realm}:0~i1.12")
    story.answer(request, "/jobs/1", 500).log("job 1 failed", flow).end()
    assert story.event("/jobs/1 answered").cause is None
    assert story.link("job 1 failed", "/jobs/1 answered")


def test_what_an_interval_works_off_is_likely_the_click_that_led_to_nothing_else() -> None:
    story = Story().load()
    story.ask("/saved", story.act("#save"))
    story.acted().act("#add")
    request, _ = story.acted().ask("/jobs/1", f"{story.realm}:0~i1.12")
    story.answer(request, "/jobs/1", 500).end()
    assert story.link("/jobs/1 answered", "click on #add") == ("turn", 0.6)


def test_an_error_that_was_kept_is_linked_by_the_function_that_made_it() -> None:
    story = Story().load()
    request, _ = story.ask("/api/feed", story.act("#feed"), at("loadFeed", 10))
    story.acted().answer(request, "/api/feed", 500).wait(0.2)
    story.throw("Error: no feed", f"{story.realm}:0~i1.9", at("loadFeed", 12), line=40).end()
    assert story.link("no feed", "/api/feed answered") == ("error-origin", 0.75)


def test_of_requests_made_together_the_failed_one_counts() -> None:
    story = Story().load()
    click = story.act("#refresh")
    asked = [story.ask(f"/api/part{n}", click, at("part", 10)) for n in (1, 2)]
    story.answer(asked[1][0], "/api/part2", 500).answer(asked[0][0], "/api/part1", 200)
    story.log("partly failed", asked[0][1], at("all", 30)).end()
    assert story.link("partly failed", "/api/part2 answered 500") == ("failed-sibling", 0.62)


def test_an_answer_that_can_not_be_read_is_a_cause_too() -> None:
    story = Story().load()
    request, flow = story.ask("/api/cart", story.act("#cart"))
    story.answer(request, "/api/cart", 200, mime="text/html")
    story.throw("SyntaxError: Unexpected token '<'", flow, rejection=True, exception_id=1).end()
    assert story.link("Unexpected token", "/api/cart answered 200")


def test_an_answer_that_was_given_up_because_of_an_error_is_not_the_cause_by_being_given_up() -> None:
    story = Story().load()
    request, flow = story.ask("/api/export", story.act("#export"))
    story.answer(request, "/api/export", 200)
    story.throw("SyntaxError: Unexpected token 'w'", flow, rejection=True, exception_id=1)
    story.breaks(request, "/api/export", "net::ERR_ABORTED", canceled=True, status=200).end()
    assert story.link("Unexpected token", "/api/export answered 200 after")


def test_a_report_that_comes_before_its_request_waits_for_it() -> None:
    story = Story().load()
    story.ask("/api/first", story.act("#go"))
    blocked = f"Loading the script '{SITE}/ad.js' violates the following Content Security Policy directive: \"script-src 'self'\"."
    story.signal(LogEntry("security", "error", blocked, f"{SITE}/ad.js"))
    story.signal(Issue("CorsIssue", "MissingAllowOriginHeader", f"{SITE}/api/collect"), request_id="Rp13")
    assert not [event for event in story.events if event.type == "error"]
    story.ask("/ad.js", kind="Script")
    story.breaks("Rp12", "/ad.js", "", blocked_reason="csp")
    story.ask("/api/collect", story.act("#collect"))
    story.breaks("Rp13", "/api/collect", cors_error="MissingAllowOriginHeader").end()
    assert story.event("ad.js blocked").cause
    assert story.link("/api/collect blocked", "click on #collect")


def test_a_report_that_comes_before_the_answer_is_folded_into_it() -> None:
    story = Story().load()
    request, _ = story.ask("/shop.css", "", kind="Stylesheet")
    failed = "Failed to load resource: the server responded with a status of 404 ()"
    story.signal(LogEntry("network", "error", failed, f"{SITE}/shop.css"), request_id=request)
    story.answer(request, "/shop.css", 404, kind="Stylesheet").wait(1.0).end()
    assert [event.kind for event in story.events if "shop.css" in event.summary] == ["resource_failed"]


def test_a_report_whose_request_never_comes_is_told_all_the_same() -> None:
    story = Story().load()
    story.ask("/api/first", story.act("#go"))
    story.signal(Issue("CorsIssue", "MissingAllowOriginHeader", f"{SITE}/api/collect"), request_id="R77")
    assert story.engine.next_due_s == pytest.approx(story.now_s + 0.5)
    story.events += story.engine.advance(story.now_s + 0.5)
    assert story.event("/api/collect blocked").cause is None


def test_the_page_hears_of_an_abort_before_it_is_reported() -> None:
    story = Story().load()
    request, flow = story.ask("/api/slow", story.act("#slow"))
    story.acted().wait(0.2).log("timed out", flow)
    assert not [event for event in story.events if "timed out" in event.summary]
    story.breaks(request, "/api/slow", "net::ERR_ABORTED", canceled=True)
    assert story.link("timed out", "/api/slow was aborted")


def test_a_report_that_never_comes_holds_nothing_back_for_long() -> None:
    story = Story().load()
    _, flow = story.ask("/api/slow", story.act("#slow"))
    story.acted().log("timed out", flow)
    assert story.engine.next_due_s == pytest.approx(story.now_s + 0.1)
    story.events += story.engine.advance(story.now_s + 0.1)
    # What made the request is known all the same, and less sure.
    assert story.link("timed out", "click on #slow") == ("task", 0.83)


def test_a_cause_that_is_found_late_merges_the_chains_and_says_so() -> None:
    story = Story().load()
    story.act("#other")
    _, flow = story.acted().ask("/api/slow", "")
    story.log("timed out", flow)
    story.events += story.engine.advance(story.now_s + 0.1)
    told = story.event("timed out")
    assert told.cause is None
    story.wait(0.2).breaks("Rp11", "/api/slow", "net::ERR_ABORTED", canceled=True)
    aborted, notice = story.events[-2:]
    assert (notice.kind, notice.severity, notice.channel) == ("chain_merged", "info", "errors")
    assert notice.context["from"] == told.id
    assert notice.context["into"] == notice.correlation_id == aborted.correlation_id
    assert notice.context["cause"] == aborted.id
    assert story.engine.chains.chain_of(told.id) == aborted.correlation_id


def test_an_element_that_did_not_load_explains_its_handler() -> None:
    story = Story().load()
    request, _ = story.ask("/img/mug.png", "", at("show", 10), kind="Image")
    story.answer(request, "/img/mug.png", 404, kind="Image")
    story.signal(ElementFailed(f"{story.realm}:e1", "/img/mug.png")).log(
        "no picture", f"{story.realm}:e1"
    ).end()
    assert story.link("no picture", "/img/mug.png answered 404") == ("task", 0.97)


def test_what_an_error_handler_loads_instead_comes_of_what_failed_until_the_handler_is_over() -> None:
    story = Story().load()
    missing, _ = story.ask("/img/a.avif", "", at("show", 10), kind="Image")
    story.answer(missing, "/img/a.avif", 404, kind="Image").signal(
        ElementFailed(f"{story.realm}:e1", "/img/a.avif")
    )
    story.wait(1)  # the machine does something else
    instead, _ = story.ask("/img/a.png", kind="Image")
    story.signal(ElementHandled(f"{story.realm}:e1"))
    other, _ = story.ask("/img/b.png", kind="Image")
    story.answer(instead, "/img/a.png", 404, kind="Image").answer(
        other, "/img/b.png", 404, kind="Image"
    ).end()
    assert story.link("/img/a.png answered 404", "/img/a.avif answered 404")
    assert story.link("/img/b.png answered 404", "/img/a.avif answered 404") is None


def test_a_message_that_names_the_address_names_the_cause() -> None:
    story = Story(marked=False).load()
    request, _ = story.ask("/js/missing.js", "", kind="Script")
    story.answer(request, "/js/missing.js", 404, kind="Script").wait(1)
    story.throw(
        f"TypeError: Failed to fetch dynamically imported module: {SITE}/js/missing.js",
        rejection=True,
        exception_id=1,
    ).end()
    assert story.link("could not be loaded", "GET /js/missing.js answered 404") == ("named", 0.97)


def test_a_script_that_failed_explains_the_global_that_is_missing() -> None:
    story = Story(marked=False).load()
    request, _ = story.ask("/js/chartlib.js", "", kind="Script")
    story.answer(request, "/js/chartlib.js", 404, kind="Script")
    story.act("#chart")
    story.wait(1).throw("ReferenceError: chartlib is not defined").end()
    link = story.link("chartlib is not defined", "chartlib.js answered 404")
    assert link is None or link[0] == "named"


def test_a_script_that_was_asked_for_before_us_explains_it_as_well() -> None:
    story = Story(marked=False).load()
    story.answer("R9", "/js/chartlib.js", 404, kind="Script")
    story.wait(1).throw("ReferenceError: chartlib is not defined").end()
    assert story.link("chartlib is not defined", "chartlib.js answered 404") == ("named", 0.75)


def test_without_markers_what_happens_during_an_input_is_the_inputs() -> None:
    story = Story(marked=False).load()
    story.act("#save")
    story.ask("/api/save")
    story.throw("TypeError: x is undefined").acted().wait(1).throw("TypeError: later").end()
    assert story.link("x is undefined", "click on #save") == ("input", 0.9)
    assert story.event("later").cause is None


def test_without_markers_the_function_that_asked_and_goes_on_is_evidence() -> None:
    story = Story(marked=False).load()
    story.act("#save")
    request, _ = story.ask("/api/save", "", at("save", 10), at("onClick", 3))
    story.acted().wait(0.1).answer(request, "/api/save", 500).throw("Error: no", None, at("save", 12)).end()
    assert story.link("Error: no", "/api/save answered 500") == ("call-site", 0.85)


def test_of_two_requests_of_one_function_the_open_one_is_not_surely_meant() -> None:
    story = Story(marked=False).load()
    story.act("#both")
    first, _ = story.ask("/api/marks", "", at("ask", 10))
    second, _ = story.ask("/api/dates", "", at("ask", 10))
    story.acted().wait(0.1).answer(first, "/api/marks", 401)
    story.throw("Error: Not allowed", None, at("ask", 12), rejection=True, exception_id=1)
    story.wait(0.1).answer(second, "/api/dates", 401).end()
    assert story.link("Not allowed", "/api/marks answered")


def test_with_async_stacks_the_call_itself_is_found() -> None:
    story = Story(marked=False).load()
    story.act("#save")
    call = at("", 10)
    request, _ = story.ask("/api/save", "", call)
    story.acted().answer(request, "/api/save", 500).wait(2)
    story.signal(
        ExceptionThrown("Error: no", url=call.url, line=12, column=1),
        stack=(at("", 12),),
        async_stack=(call,),
    ).end()
    assert story.link("Error: no", "/api/save answered 500") == ("call-site", 0.77)


def test_a_loop_that_calls_everything_relates_nothing() -> None:
    loop = at("performWork", 1)
    story = Story(marked=False).load()
    story.act("#a")
    request, _ = story.ask("/api/a", "", at("effect", 10), loop)
    story.acted().answer(request, "/api/a", 500).wait(1).throw(
        "Error: other", None, at("render", 50), loop
    ).end()
    assert story.event("Error: other").cause is None


def test_a_navigation_comes_of_the_task_that_asked_for_it() -> None:
    story = Story().load()
    request, flow = story.ask("/api/me", story.act("#me"))
    story.acted().answer(request, "/api/me", 401).signal(TaskNavigates(flow, "/login"))
    story.signal(
        RequestSent("GET", SITE + "/login", "Document", "script"), request_id="L2", loader_id="L2"
    ).answer("L2", "/login", 200, "Document")
    story.signal(_navigated("/login"), loader_id="L2").signal(RealmStarted("r2"))
    story.log("not signed in", "r2:0").end()
    assert story.link("navigated to /login", "/api/me answered 401") == ("task", 0.95)
    assert story.link("not signed in", "navigated to /login")
    assert story.event("not signed in").correlation_id == story.event("click on #me").correlation_id


def test_a_drivers_own_navigation_has_no_cause() -> None:
    story = Story().load()
    story.act("#me")
    story.acted().wait(0.1)
    story.signal(RequestSent("GET", SITE + "/b", "Document", "other"), request_id="L2", loader_id="L2")
    story.signal(_navigated("/b"), loader_id="L2").end()
    assert story.event("navigated to /b").cause is None


def test_an_error_page_comes_of_the_answer_that_it_shows() -> None:
    story = Story().load()
    story.signal(RequestSent("GET", SITE + "/b", "Document", "other"), request_id="L2", loader_id="L2")
    story.answer("L2", "/b", 503, "Document").signal(_navigated("/b"), loader_id="L2").end()
    assert story.link("navigated to /b", "/b answered 503") == ("same-request", 1.0)


def test_without_markers_a_link_that_is_clicked_navigates() -> None:
    story = Story(marked=False).load()
    story.act("#more")
    story.signal(NavigationRequested(SITE + "/more", "anchorClick")).acted()
    story.signal(RequestSent("GET", SITE + "/more", "Document", "script"), request_id="L2", loader_id="L2")
    story.signal(_navigated("/more"), loader_id="L2").end()
    assert story.events[-1].cause is not None
    assert story.events[-1].cause.via == "input"


def test_a_popup_comes_of_the_task_that_opened_it() -> None:
    story = Story().load()
    story.signal(TaskNavigates(story.act("#help"), "/help"))
    popup = Story(story.engine, page="p2")
    popup.now_s = story.now_s
    popup.signal(TargetOpened("page", "", "p1")).signal(_navigated("/help"), loader_id="L2").end()
    opened, navigated = (event for event in popup.events if event.kind in {"page_opened", "navigation"})
    assert opened.cause is not None
    assert opened.cause.id == story.event("#help").id
    assert navigated.cause is not None
    assert navigated.cause.id == opened.id


def test_workers_carry_the_flow_there_and_back() -> None:
    story = Story().load()
    worker = story.worker()
    click = story.wait(0.1).act("#count")
    story.signal(MessageSent(f"{story.realm}:w1", 0, click)).acted()
    worker.now_s = story.now_s
    worker.throw("Error: bad row", "rw:m0")
    story.now_s = worker.now_s
    story.log("worker died", f"{story.realm}:w1.e").end()
    story.events += worker.events
    assert story.link("bad row", "click on #count")
    assert story.link("worker died", "bad row")


@pytest.mark.parametrize(("asked", "is_told"), [(False, True), (True, False)])
def test_what_a_worker_does_that_nobody_asks_comes_of_the_page_that_made_it(
    asked: bool, is_told: bool
) -> None:
    story = Story().load()
    worker = story.worker()
    click = story.wait(0.1).act("#hint")
    if asked:
        story.signal(MessageSent(f"{story.realm}:w1", 0, click))
    worker.now_s = story.acted().now_s
    worker.log("out of moves", "rw:0~i1.12").end()
    story.events += worker.events
    assert (story.event("out of moves").cause is not None) is is_told


def test_a_message_may_be_heard_of_while_the_end_of_what_it_led_to_is_held_back() -> None:
    story = Story().load()
    worker = story.worker()
    click = story.wait(0.1).act("#route")
    worker.now_s = story.now_s
    request, _ = worker.ask("/api/route", "rw:m0")
    worker.wait(0.1).breaks(request, "/api/route", "net::ERR_ABORTED", canceled=True)
    story.now_s = worker.now_s
    story.signal(MessageSent(f"{story.realm}:w1", 0, click)).acted().wait(2).end()
    assert story.link("/api/route", "click on #route")


def test_what_waited_for_its_turn_did_not_wait_for_an_action_that_came_later() -> None:
    story = Story().load()
    worker = story.worker()
    story.now_s = worker.now_s
    request, _ = story.wait(3).ask("/api/jobs", f"{story.realm}:w1.0")
    story.breaks(request, "/api/jobs", "net::ERR_ABORTED", canceled=True).act("#later")
    worker.now_s = story.acted().now_s
    worker.signal(MessageSent("out", 0, "rw:0~i1.12"))
    story.events += worker.events + story.engine.finish()
    assert story.link("/api/jobs", "click on #later") is None


def test_a_message_may_be_heard_of_after_what_it_led_to() -> None:
    story = Story().load()
    worker = story.worker()
    click = story.wait(0.1).act("#route")
    worker.now_s = story.now_s
    request, _ = worker.ask("/api/route", "rw:m0")
    worker.log("looking for a route", "rw:m0")
    story.now_s = worker.now_s
    story.signal(MessageSent(f"{story.realm}:w1", 0, click)).acted()
    worker.now_s = story.now_s
    worker.answer(request, "/api/route", 503).wait(0.2).end()
    story.events += worker.events
    assert story.link("looking for a route", "click on #route")
    assert story.link("/api/route answered 503", "click on #route")


@pytest.mark.parametrize("early", [False, True])
def test_what_a_service_worker_asks_comes_of_the_request_that_it_handles(early: bool) -> None:
    story = Story().load()
    worker = Story(story.engine, page="p1")
    worker.session, worker.realm, worker.now_s = "SW", "rw", story.now_s
    worker.signal(TargetOpened("service_worker", SITE + "/sw.js"), target_type="service_worker", frame="")
    worker.signal(RealmStarted("rw"), target_type="service_worker", frame="")
    click = story.wait(0.1).act("#borrow")
    intercepted = FetchIntercepted("rw:s1", SITE + "/api/loans")
    if early:
        worker.signal(intercepted, frame="")
    request, _ = story.ask("/api/loans", click)
    if not early:
        worker.signal(intercepted, frame="")
    worker.now_s = story.now_s
    worker.signal(RequestMade("rw:2", "rw:s1", SITE + "/backend/loans"), frame="")
    worker.signal(RequestSent("GET", SITE + "/backend/loans", "Fetch", "script"), request_id="RW", frame="")
    worker.signal(
        ResponseReceived("GET", SITE + "/backend/loans", "Fetch", 500, 20.0), request_id="RW", frame=""
    )
    story.now_s = worker.now_s
    story.breaks(request, "/api/loans").end()
    story.events += worker.events
    assert story.event("/backend/loans").correlation_id == story.event("#borrow").correlation_id
    assert story.event("/backend/loans").cause


def test_an_answer_through_a_port_belongs_to_the_question_that_brought_the_port() -> None:
    story = Story().load()
    worker = story.worker()
    for number, currency in enumerate(("euro", "yen")):
        story.wait(0.1).signal(MessageSent(f"{story.realm}:w1", number, story.act(f"#{currency}"))).acted()
    worker.now_s = story.now_s
    worker.signal(MessageSent("rw:p1_0", 0, "rw:m1")).signal(MessageSent("rw:p0_0", 0, "rw:m0"))
    story.now_s = worker.now_s
    story.log("no rate for yen", f"{story.realm}:w1p1_0.0")
    story.wait(0.1).log("no rate for euro", f"{story.realm}:w1p0_0.0").end()
    assert story.link("no rate for yen", "click on #yen")
    assert story.link("no rate for euro", "click on #euro")


@pytest.mark.parametrize(("requests", "is_told"), [(1, True), (2, False)])
def test_a_message_of_another_site_comes_of_the_only_thing_that_site_heard(
    requests: int, is_told: bool
) -> None:
    story = Story().load()
    story.act("#terms")
    framed = Story(story.engine, page="p1", marked=False)
    framed.session, framed.now_s = "SF", story.acted().wait(1.0).now_s
    place = {"frame": "TF", "loader_id": "LF"}
    framed.signal(Navigated("https://pay.test/form", main_frame=False), **place)
    for number in range(requests):
        sent = RequestSent("POST", f"https://pay.test/pay/{number}", "Fetch", "script")
        framed.signal(sent, request_id=f"F{number}", **place)
    for number in range(requests):
        answered = ResponseReceived("POST", f"https://pay.test/pay/{number}", "Fetch", 402, 20.0)
        framed.signal(answered, request_id=f"F{number}", **place)
    story.now_s = framed.now_s
    story.signal(ActionBegan(f"{story.realm}:x1", "message@https://pay.test"))
    story.log("declined", f"{story.realm}:x1").end()
    story.events += framed.events
    cause = story.event("declined").cause
    assert (cause is not None) is is_told
    if is_told:
        assert story.link("declined", "https://pay.test/pay/0") == ("task", 0.75)


def test_a_missing_element_comes_of_its_removal() -> None:
    story = Story().load()
    request, flow = story.ask("/api/me", story.act("#me"))
    story.acted().answer(request, "/api/me", 401).signal(ElementRemoved(flow, "#panel"))
    story.wait(0.05).signal(SelectorMatches("#panel", 0, 1)).end()
    assert story.link("#panel no longer matches", "#panel was removed") == ("removed", 0.9)
    assert story.link("#panel was removed", "/api/me answered 401") == ("task", 0.95)


def test_elements_that_go_unmissed_are_not_told() -> None:
    story = Story().load()
    story.signal(ElementRemoved(story.act("#close"), "#dialog")).end()
    assert not [event for event in story.events if event.kind == "element_removed"]


def test_jobs_that_wait_for_each_other_are_their_own_clicks() -> None:
    story = Story().load()
    first, ended = story.ask("/print/letter", story.act("#letter"), at("print", 5))
    for job in ("label", "photo"):
        story.acted().act(f"#{job}")
    story.acted().wait(0.3).answer(first, "/print/letter", 200)
    second, ended = story.ask("/print/label", ended, at("print", 5))
    story.wait(0.1).answer(second, "/print/label", 500)
    third, _ = story.ask("/print/photo", ended, at("print", 5))
    story.wait(0.1).answer(third, "/print/photo", 503).end()
    assert story.link("/print/label", "click on #label") == ("turn", 0.55)
    assert story.link("/print/photo", "click on #photo") == ("turn", 0.6)


def test_what_goes_on_to_another_request_waited_for_nothing() -> None:
    story = Story().load()
    listed, flow = story.ask("/list", story.act("#open"), at("list", 5))
    story.acted().act("#menu")
    story.acted().answer(listed, "/list", 200)
    detail, again = story.ask("/detail", flow, at("detail", 9))
    story.answer(detail, "/detail", 503)
    story.ask("/detail", again, at("detail", 9))
    story.answer("Rp13", "/detail", 503).end()
    links = [event.cause for event in story.events if "/detail" in event.summary]
    assert [(link.via, link.confidence) for link in links if link] == [("task", 0.75), ("task", 0.95)]


def test_a_long_frame_has_nothing_to_do_with_a_failure_just_before_it() -> None:
    story = Story().load()
    story.act("#feed")
    request, flow = story.acted().ask("/live", "r:9")
    story.wait(1.0).breaks(request, "/live").log("feed lost", flow)
    script = FrameScript("FrameRequestCallback", "user-callback", duration_ms=200, function="align")
    story.signal(LongFrame(240, 200, scripts=(script,))).end()
    assert story.event("240 ms").cause is None


def test_a_long_frame_of_an_input_handler_is_the_inputs() -> None:
    story = Story().load()
    story.act("#sort")
    began_ms = story.act_wall_ms
    frame = LongFrame(400, scripts=(FrameScript("BUTTON#sort.onclick", duration_ms=390),))
    story.signal(frame, wall_ms=began_ms - 1).end()
    assert story.link("The main thread was busy", "click on #sort") == ("input", 0.75)


def _navigated(path: str) -> Navigated:
    return Navigated(SITE + path)
