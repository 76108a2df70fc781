"""The page of a report in a real browser: it draws what happened, by itself, for everybody, however much it is."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from firstcause.api.reports.folder import write_report
from firstcause.correlator.event import Event
from firstcause.observer.sources.launch import launch

from ..unit.reported import HOSTILE, LISTED, RUN, SAVE, SAVED, STORY, event, hostile_events

MANY = 5_000
MAX_ELEMENTS = 10_000
GRAVE = {"serious", "critical"}


class Report:
    """A page of a report, and all that the browser complained about."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._folder = folder
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    async def show(self, events: Sequence[Event], title: str = "nightly") -> None:
        write_report(self._folder, events, title)
        await self.page.goto((self._folder / "report.html").as_uri())
        await self.page.locator("html[data-ready]").wait_for()

    async def texts(self, selector: str) -> list[str]:
        return [" ".join(text.split()) for text in await self.page.locator(selector).all_inner_texts()]


@pytest.fixture
async def report(tmp_path: Path) -> AsyncGenerator[Report]:
    async with launch() as launched:
        report = Report(await launched.context.new_page(), tmp_path)
        await report.page.set_viewport_size({"width": 1400, "height": 900})
        yield report
        assert report.complaints == []
        assert [url for url in report.requests if not url.startswith(("file:", "data:"))] == []


def big() -> list[Event]:
    """Floods, long chains and one wide one, of some ten failures a click."""
    events: list[Event] = []
    for number in range(0, MANY, 10):
        events.append(
            event(number + 1, "user_action", f"click on #b{number}", "info", correlation_id=str(number))
        )
        for more in range(1, 10):
            cause = number + 1 if more < 5 else number + more
            kind = f"kind_{(number + more) % 37}"
            events.append(
                event(
                    number + more + 1,
                    kind,
                    f"{kind} of {number}",
                    cause=cause,
                    correlation_id=str(number),
                    fingerprint=f"{number}-{more}",
                )
            )
    return events


async def test_the_first_cause_is_what_is_shown_first(report: Report) -> None:
    await report.show(STORY)
    assert await report.texts("h1") == ["nightly"]
    assert await report.texts(".verdict h2") == [SAVE.summary]
    assert await report.texts(".step time") == ["02:40:47.010", "+10 ms", "+20 ms", "+30 ms", "+40 ms"]
    assert len(await report.texts(".timeline .row")) == len(STORY)
    assert await report.texts(".card.first .said") == [SAVE.summary]
    assert await report.page.locator(".graph text").all_text_contents() == ["0.97", "0.95", "0.70", "1.00"]
    assert await report.page.locator(".graph path.likely").count() == 1


async def test_what_repeats_itself_is_told_once_and_the_rest_on_demand(report: Report) -> None:
    first = event(1, "http_error", "GET /a answered 503")
    again = [event(n, "http_error", "GET /a answered 503", cause=n - 1) for n in range(2, 7)]
    crash = event(7, "page_crash", "The page / crashed", "critical", cause=6)
    await report.show([first, *again, crash])
    assert len(await report.texts(".step")) == 2
    assert await report.texts(".card .kind b") == ["×6"]
    await report.page.get_by_role("button", name="the same 5 times more, until +50 ms").click()
    assert len(await report.texts(".step")) == 7


async def test_a_very_long_way_is_told_by_its_ends(report: Report) -> None:
    way = [event(n, "http_error", str(n), cause=n - 1, fingerprint=str(n)) for n in range(1, 2_001)]
    await report.show(way)
    steps = await report.texts(".step .body")
    assert (steps[0], steps[-1], len(steps)) == ("1", "2000", 30)
    rows = await report.texts(".timeline .row .text")
    assert (rows[0], rows[-1], len(rows)) == ("1", "2000", 60)
    await report.page.get_by_role("button", name="… 1970 more").click()
    assert len(await report.texts(".step .body")) == 2_000


async def test_failed_tests_come_before_all_else(report: Report) -> None:
    await report.show(RUN)
    assert await report.texts("#list h2") == ["Failed tests 1", "Failures beside them 1", "Other tests 3"]
    assert await report.texts(".verdict h2") == [SAVE.summary]
    assert SAVED in (await report.texts(".ledto"))[0]
    await report.page.get_by_role("button", name="list passed").click()
    assert await report.texts(".verdict h2") == [LISTED]


async def test_everything_can_be_done_by_keys(report: Report) -> None:
    other = event(60, "page_crash", "The page / crashed", "critical", correlation_id="c3")
    await report.show([*STORY, other])
    keys = report.page.keyboard
    assert await report.texts(".verdict h2") == [other.summary]
    await keys.press("j")
    assert await report.texts(".verdict h2") == [SAVE.summary]
    await report.page.locator(".step", has_text="Failed to save").focus()
    await keys.press("Enter")
    assert await report.texts("#details .summary") == ["Failed to save"]
    await keys.press("[")
    assert await report.texts("#details .summary") == [SAVE.summary]
    await keys.press("Escape")
    assert not await report.page.locator("#details").is_visible()
    await keys.press("/")
    await keys.type("kind:page_crash")
    await keys.press("Escape")
    assert await report.texts("#list li:not([hidden]) .title") == [other.summary]
    await keys.press("e")
    assert await report.texts("tbody .link") == [other.summary]
    await keys.press("t")
    assert await report.page.evaluate("document.documentElement.dataset.theme") == "dark"
    await keys.press("?")
    assert await report.page.get_by_role("dialog").is_visible()


async def test_severities_can_be_left_out(report: Report) -> None:
    await report.show(STORY)
    await report.page.get_by_role("button", name="All events").click()
    await report.page.get_by_role("button", name="info", pressed=True).click()
    await report.page.get_by_role("button", name="high", pressed=True).click()
    assert await report.texts("tbody .link") == ["Failed to save", "← http_error"]
    assert await report.page.get_by_text("The filter lets nothing through.").is_visible()


async def test_a_link_leads_to_an_event(report: Report) -> None:
    await report.show(STORY)
    await report.page.goto(f"{report.page.url.partition('#')[0]}#event={SAVE.id}")
    assert await report.texts("#details .summary") == [SAVE.summary]


@pytest.mark.parametrize("title", HOSTILE[:4])
async def test_texts_of_pages_stay_texts(report: Report, title: str) -> None:
    await report.show(hostile_events(), title)
    page = report.page
    assert await page.evaluate("document.querySelectorAll('img, script:not([type])').length") == 0
    assert await page.evaluate("document.scripts.length") == 2
    assert await page.evaluate("JSON.parse(document.getElementById('data').textContent).title") == title
    for entry in await page.locator("#list .entry").all():
        await entry.click()
    summaries = await page.evaluate(
        "JSON.parse(document.getElementById('data').textContent).events.map(e => e.summary)"
    )
    assert summaries == [*HOSTILE]


async def test_of_five_thousand_events_only_what_is_looked_at_is_drawn(report: Report) -> None:
    events = big()
    await report.show(events)
    page = report.page
    for entry in ("#list li >> nth=40", "#all"):
        await page.locator(entry).click()
        assert await page.evaluate("document.querySelectorAll('*').length") < MAX_ELEMENTS
    await page.locator("#filter").fill("kind:kind_7")
    found = sum(each.kind == "kind_7" for each in events)
    assert (await report.texts(".table .dim"))[0] == f"{found} of 5,000 events"
    await page.locator("#filter").fill("")
    await page.locator(".more").scroll_into_view_if_needed()
    await page.locator("tbody tr").nth(200).wait_for()


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_in_it_keeps_anybody_out(report: Report, theme: Any) -> None:
    await report.page.emulate_media(color_scheme=theme)
    await report.show([*RUN, *hostile_events()])
    await report.page.locator(".step").nth(1).click()
    assert await grave(report.page) == []
    await report.page.keyboard.press("Escape")
    await report.page.keyboard.press("e")
    assert await grave(report.page) == []


async def grave(page: Page) -> list[str]:
    found = (await Axe().run(page)).response["violations"]
    return [
        json.dumps(each["nodes"][0]["html"])[:300] + each["id"] for each in found if each["impact"] in GRAVE
    ]


async def test_a_narrow_window_needs_no_scrolling_sideways(report: Report) -> None:
    await report.page.set_viewport_size({"width": 390, "height": 800})
    await report.show([*RUN, *hostile_events()])
    assert await report.page.evaluate("document.documentElement.scrollWidth") <= 390
