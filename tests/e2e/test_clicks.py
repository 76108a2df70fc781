"""What the page tells of clicks that nothing followed, and of none that something followed."""

from __future__ import annotations

import pytest

from firstcause.observer.domains.page_script import ClickQuiet, UserAction

from .support import Site, Tab, Watch

SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
DEAD = "<p><button id=dead>Dead</button></p>"
SOMETHING_FOLLOWS = {
    "attribute": "<button id=live onclick='this.dataset.on = 1'>Go</button>",
    "words": "<button id=live onclick='this.firstChild.data = 2'>1</button>",
    "a change when the pointer goes down": "<button id=live onpointerdown='document.body.append(1)'>Go</button>",
    "scrolling": "<button id=live onclick='window.scrollTo(0, 9)'>Go</button><div style='position:absolute;top:0;height:5000px;width:1px'></div>",
    "popover": "<button id=live popovertarget=menu>Go</button><div popover=manual id=menu>Menu</div>",
    "menu of a style sheet": "<style>#menu { opacity: 0; transition: opacity .1s } #live:focus ~ #menu { opacity: 1 }</style>"
    "<button id=live>Go</button><div id=menu>Menu</div><script>dead.onmousedown = (event) => event.preventDefault()</script>",
    "field that is focused": "<button id=live onclick='field.focus()'>Go</button><input id=field>",
    "checkbox": "<input type=checkbox id=live>",
    "label of a field": "<label id=live>Name <input></label>",
    "canvas": "<canvas id=live width=30 height=30></canvas>",
    "link to where one is": "<a id=live href='/' onclick='event.preventDefault()'>Home</a>",
    "tab that is open": "<button id=live class='tab active'>Go</button>",
    "words that are not clickable, selected": "<p id=live style='width:90px'>Wonderful</p>",
}


async def press(tab: Tab, element: str, times: int = 1) -> None:
    """Real clicks in the middle of an element, which is named as a script can: by its id."""
    x, y = await tab.run(
        f"(() => {{ const r = {element}.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})()"
    )
    for count in range(1, times + 1):
        for kind in ("mousePressed", "mouseReleased"):
            await tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=count)


async def opened(watch: Watch, site: Site, body: str) -> Tab:
    tab = await watch.open(site.page("/", body=f"<h1>Shop</h1>{body}"))
    await watch.seen.first("first_paint", target=tab.target)
    return tab


def quiet(watch: Watch) -> list[tuple[str, float, bool]]:
    told = [(signal.element, signal.detail) for signal in watch.seen.all("click_quiet")]
    return [
        (element, detail.after_ms, detail.clickable)
        for element, detail in told
        if isinstance(detail, ClickQuiet)
    ]


@pytest.mark.parametrize("body", SOMETHING_FOLLOWS.values(), ids=SOMETHING_FOLLOWS.keys())
async def test_a_click_that_something_follows_is_not_told(watch: Watch, site: Site, body: str) -> None:
    tab = await opened(watch, site, DEAD + body)
    await press(tab, "live", 2 if "Wonderful" in body else 1)
    await tab.run(SETTLED)
    await press(tab, "dead")
    await watch.seen.first("click_quiet", element="#dead")
    assert quiet(watch) == [("#dead", 1000, True)]


async def test_a_click_that_nothing_follows_is_told_after_one_second_and_after_seven(
    watch: Watch, site: Site
) -> None:
    tab = await opened(watch, site, DEAD)
    await press(tab, "dead")
    first, later = await watch.seen.count(2, "click_quiet")
    assert (first.detail, later.detail) == (ClickQuiet(1000, True), ClickQuiet(7000, True))
    [action] = watch.seen.all("action")
    assert isinstance(action.detail, UserAction)
    assert action.detail.x > 0
    assert action.detail.y > 0
    assert first.wall_ms == later.wall_ms == action.wall_ms


async def test_what_looks_clickable(watch: Watch, site: Site) -> None:
    body = (
        "<a id=link href='#' onclick='event.preventDefault()'>Link</a> <p><span id=role role=button>Role</span></p>"
        "<p id=pointer style='cursor:pointer;width:90px'>Pointer</p><p id=words style='width:90px'>Words</p>"
        "<style>button { transition: background .1s } button:active, p:hover { background: #fee }</style>"
    )
    tab = await opened(watch, site, DEAD + body)
    await press(tab, "pointer", 2)  # which selects the word, and nobody meant to
    for name in ("link", "role", "words", "dead"):
        await press(tab, name)
    await watch.seen.first("click_quiet", element="#dead")
    assert quiet(watch)[:6] == [
        ("#pointer", 1000, True),
        ("#pointer", 1000, True),
        ("#link", 1000, True),
        ("#role", 1000, True),
        ("#words", 1000, False),
        ("#dead", 1000, True),
    ]


async def test_components_are_seen_into(watch: Watch, site: Site) -> None:
    script = (
        "for (const name of ['shop-cart', 'shop-badge']) document.querySelector(name).attachShadow({ mode: 'open' });"
        "cart.shadowRoot.innerHTML = '<button id=live>Add</button><button id=dead>Dead</button>';"
        "badge.shadowRoot.innerHTML = '<p><shop-count></shop-count></p>';"
        "const count = badge.shadowRoot.querySelector('shop-count').attachShadow({ mode: 'open' });"
        "cart.shadowRoot.firstChild.onclick = () => { count.append('1'); };"
    )
    body = f"<shop-cart id=cart></shop-cart><shop-badge id=badge></shop-badge><script>{script}</script>"
    tab = await opened(watch, site, body)
    await press(tab, "cart.shadowRoot.firstChild")
    await tab.run(SETTLED)
    await press(tab, "cart.shadowRoot.lastChild")
    await watch.seen.first("click_quiet")
    assert quiet(watch) == [("#dead", 1000, True)]


async def test_what_a_script_clicks_is_not_told(watch: Watch, site: Site) -> None:
    tab = await opened(watch, site, DEAD + "<button id=other>Other</button>")
    await tab.run("document.getElementById('other').click()")
    await press(tab, "dead")
    await watch.seen.first("click_quiet")
    assert quiet(watch) == [("#dead", 1000, True)]


async def test_nothing_is_told_where_something_may_have_changed_out_of_sight(
    watch: Watch, site: Site
) -> None:
    drawn = "<canvas width=200 height=100></canvas>"
    tab = await opened(watch, site, f"{DEAD}<div id=drawn>{drawn}</div>")
    await press(tab, "dead")
    await tab.run("new Promise((done) => setTimeout(done, 1300))")
    await tab.run("drawn.remove()")
    await press(tab, "dead")
    await watch.seen.first("click_quiet")
    told, actions = watch.seen.all("click_quiet"), watch.seen.all("action")
    assert [signal.wall_ms for signal in told] == [actions[-1].wall_ms]
