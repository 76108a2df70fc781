"""What the page script tells of watched selectors in a real page: which of them break, what was there, and what is kept quiet."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from firstcause.correlator.selectors.ranking import suggest
from firstcause.correlator.selectors.wording import selector_of
from firstcause.observer.domains.page_script import SelectorMatches
from firstcause.observer.options import CaptureOptions

from .support import Chromium, Site, Tab, Watch, watching

SECRET = "Xyzzy-4711"
A_WHILE = "new Promise((done) => setTimeout(done, 1200))"
FORM = """
  <header id=top style='position: sticky; top: 0; height: 80px; background: tan'>Shop</header>
  <form id=checkout onsubmit='return false'>
    <label>Card <input id=card name=card></label> <input id=pin type=password> <textarea id=note></textarea>
    <div contenteditable id=letter></div>
    <button id=pay class='btn primary'>Pay now</button> <button id=cancel class=btn>Cancel</button>
  </form>
  <div style='height: 3000px'></div>"""


@pytest.fixture
async def paying(chromium: Chromium) -> AsyncGenerator[Watch]:
    async with watching(chromium.ws_url, CaptureOptions(watched_selectors=("#pay",))) as watch:
        yield watch


def told(watch: Watch, tab: Tab, selector: str = "#pay") -> list[SelectorMatches]:
    signals = watch.seen.all("selector", target=tab.target, selector=selector)
    return [signal.detail for signal in signals if isinstance(signal.detail, SelectorMatches)]


async def until(watch: Watch, tab: Tab, state: str, selector: str = "#pay") -> SelectorMatches:
    """What it is told last, once that is of a state."""
    await watch.seen.bell.until(
        lambda: [one.state for one in told(watch, tab, selector)][-1:] == [state],
        what=lambda: f"{state}; told: {told(watch, tab, selector)}",
    )
    return told(watch, tab, selector)[-1]


async def healthy(watch: Watch, site: Site) -> Tab:
    tab = await watch.open(site.page("/", body=FORM))
    await until(watch, tab, "healthy")
    return tab


async def test_a_button_that_was_renamed_is_known_again(paying: Watch, site: Site) -> None:
    tab = await healthy(paying, site)
    await tab.run("document.querySelector('#pay').id = 'order'")
    missing = await until(paying, tab, "missing")
    assert (missing.count, missing.before, missing.moved, missing.removed) == (0, 1, False, "")
    assert (missing.was.role, missing.was.name, missing.was.classes) == (
        "button",
        "Pay now",
        ("btn", "primary"),
    )
    [same] = [one for one in missing.candidates if one.same]
    assert (same.id, same.name) == ("order", "Pay now")
    best = suggest(missing.was, missing.candidates).best
    assert best is not None
    assert selector_of(best.candidate) == 'role=button[name="Pay now"]'
    await tab.run("document.querySelector('#order').id = 'pay'")
    await until(paying, tab, "healthy")


async def test_one_that_went_with_its_form_has_no_successor(paying: Watch, site: Site) -> None:
    tab = await healthy(paying, site)
    await tab.run("document.querySelector('#checkout').remove()")
    missing = await until(paying, tab, "missing")
    assert missing.removed == "#checkout"
    assert not suggest(missing.was, missing.candidates).confident


async def test_what_was_beside_it_did_not_become_it(paying: Watch, site: Site) -> None:
    tab = await healthy(paying, site)
    await tab.run("document.querySelector('#pay').remove()")
    missing = await until(paying, tab, "missing")
    assert [one.known for one in missing.candidates if one.id == "cancel"] == [True]
    assert not suggest(missing.was, missing.candidates).confident


async def test_another_element_of_its_name_is_told_and_one_drawn_anew_is_not(
    paying: Watch, site: Site
) -> None:
    tab = await healthy(paying, site)
    await tab.run("document.querySelector('#checkout').innerHTML += ''")
    await tab.run(A_WHILE)
    assert [one.state for one in told(paying, tab)][-1] == "healthy"
    assert len(told(paying, tab)) <= 2
    await tab.run("document.querySelector('#pay').outerHTML = '<a id=pay href=#>See the bill</a>'")
    stale = await until(paying, tab, "stale")
    assert [(one.tag, one.name) for one in stale.candidates if one.found] == [("a", "See the bill")]


async def test_a_veil_blocks_and_a_header_that_can_be_scrolled_away_does_not(
    paying: Watch, site: Site
) -> None:
    tab = await healthy(paying, site)
    await tab.run("scrollBy(0, document.querySelector('#pay').getBoundingClientRect().top - 20)")
    await tab.run(A_WHILE)
    assert "blocked" not in {one.state for one in told(paying, tab)}
    veil = "<div id=veil style='position: fixed; inset: 0'></div>"
    await tab.run(f'document.body.insertAdjacentHTML("beforeend", "{veil}")')
    blocked = await until(paying, tab, "blocked")
    assert (blocked.reason, blocked.overlay, blocked.free) == ("covered", "#veil", True)
    await tab.run("document.querySelector('#veil').remove()")
    await until(paying, tab, "healthy")


async def test_disabled_and_out_of_reach_block_too(paying: Watch, site: Site) -> None:
    tab = await healthy(paying, site)
    await tab.run(A_WHILE)
    await tab.run("document.querySelector('#pay').disabled = true")
    assert (await until(paying, tab, "blocked")).reason == "disabled"
    await tab.run("document.querySelector('#pay').disabled = false")
    await until(paying, tab, "healthy")
    await tab.run("document.querySelector('#pay').style = 'position: absolute; left: -500px; top: 0'")
    assert (await until(paying, tab, "blocked")).reason == "outside"


async def test_nothing_that_was_typed_is_told(paying: Watch, site: Site) -> None:
    tab = await healthy(paying, site)
    for field in ("#card", "#pin", "#note", "#letter"):
        await tab.run(f"document.querySelector('{field}').focus()")
        await tab.call("Input.insertText", text=SECRET)
    paying.observer.watch_selectors(["#pay", "#card", "#pin", "#note", "#letter"])
    await until(paying, tab, "healthy", "#letter")
    await tab.run("document.querySelectorAll('[id]').forEach((each) => { each.id += '2'; })")
    for selector in ("#pay", "#card", "#pin", "#note", "#letter"):
        assert (await until(paying, tab, "missing", selector)).candidates
    assert SECRET not in str(paying.seen.signals)


async def test_what_is_watched_changes_while_pages_are_open_and_holds_for_later_ones(
    watch: Watch, site: Site
) -> None:
    site.page("/next", body="<h1>Next</h1><button id=pay>Pay</button>")
    tab = await watch.open(site.page("/", body=FORM))
    watch.observer.watch_selectors(["#pay", "#nowhere"])
    await until(watch, tab, "healthy")
    await until(watch, tab, "missing", "#nowhere")
    before = len(told(watch, tab))
    await tab.call("Page.navigate", url=site.url("/next"))
    await watch.seen.bell.until(lambda: len(told(watch, tab)) > before)
    await until(watch, tab, "healthy")
    watch.observer.watch_selectors([])
    await watch.seen.first("selectors_watched", target=tab.target, selectors=())
    silent_since = len(watch.seen.all("selector"))
    await tab.run("document.querySelector('#pay').remove()")
    await tab.run(A_WHILE)
    await watch.barrier(tab)
    assert len(watch.seen.all("selector")) == silent_since
