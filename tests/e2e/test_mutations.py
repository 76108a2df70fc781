"""What the page tells of its great changes: many nodes at once, a body that was emptied or shows nothing."""

from __future__ import annotations

from firstcause.observer.domains.page_script import BodyEmptied, BodyEmpty, MutationBatch

from .support import Site, Tab, Watch

ROWS = "<h1>Rows</h1><ul id=rows>" + "<li>row</li>" * 40 + "</ul>"
SHOWS_SOMETHING = {
    "/words": "<p>words</p>",
    "/field": "<input>",
    "/drawn": "<canvas width=100 height=100></canvas>",
    "/painted": "<style>#spin { width: 40px; height: 40px; border: 4px solid; border-radius: 50% }</style><div id=spin></div>",
    "/said-by-a-style-sheet": "<style>#late::before { content: 'Loading' }</style><div id=late></div>",
    "/component": "<shop-app></shop-app><script>"
    "document.querySelector('shop-app').attachShadow({ mode: 'closed' }).innerHTML = '<b>words</b>'</script>",
}


async def opened(watch: Watch, url: str) -> Tab:
    tab = await watch.open(url)
    await watch.seen.first("load_timing", target=tab.target)
    return tab


async def test_many_nodes_in_one_task_are_told_with_the_place_of_most(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body="<h1>Rows</h1><ul id=rows></ul>"))
    add = "for (let i = 0; i < {}; i++) rows.append(document.createElement('li'))"
    await tab.run(add.format(99))
    await tab.run(f"{add.format(100)}; document.body.append('end')")
    await tab.run("rows.replaceChildren()")
    told = await watch.seen.count(2, "mutation_batch")
    assert [(signal.detail, signal.element) for signal in told] == [
        (MutationBatch(101, 0), "#rows"),
        (MutationBatch(0, 199), "#rows"),
    ]


async def test_what_the_parser_adds_is_not_told(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body="<p>row</p>" * 3000))
    await tab.run("document.body.replaceChildren()")
    first = await watch.seen.first("mutation_batch")
    assert isinstance(first.detail, MutationBatch)
    assert (first.detail.added, len(watch.seen.all("mutation_batch"))) == (0, 1)


async def test_a_body_that_was_emptied(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body=ROWS))
    await tab.run("document.body.replaceChildren()")
    told = await watch.seen.first("body_emptied")
    assert told.detail == BodyEmptied(before=43, left=0)


async def test_a_body_with_something_else_in_it(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body=ROWS))
    await tab.run("document.body.innerHTML = '<h1>Sorry</h1>'")
    told = await watch.seen.first("body_emptied")
    assert told.detail == BodyEmptied(before=43, left=1, shows=True)


async def test_another_view_of_the_same_page_is_no_emptying(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site.page("/", body=ROWS))
    await tab.run(f"document.body.innerHTML = ''; setTimeout(() => document.body.innerHTML = {ROWS!r}, 400)")
    await tab.run("new Promise((done) => setTimeout(done, 2000))")
    await tab.run("document.body.replaceChildren()")
    told = await watch.seen.first("body_emptied")
    assert told.detail == BodyEmptied(before=42, left=0)


async def test_a_page_that_shows_nothing_after_its_load(watch: Watch, site: Site) -> None:
    for path, body in SHOWS_SOMETHING.items():
        await opened(watch, site.page(path, body=body))
    hidden = "<style>#app { opacity: 0 }</style><div id=app>words</div><div></div>"
    tab = await opened(watch, site.page("/blank", body=hidden))
    told = await watch.seen.first("body_empty")
    assert (told.target, told.detail) == (tab.target, BodyEmpty(3000, elements=2, scripts=1))
    assert len(watch.seen.all("body_empty")) == 1
