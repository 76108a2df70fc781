"""What is watched can be asked for and changed while a server runs, by whoever may; and what it says of each page."""

from __future__ import annotations

from typing import Any, cast

import pytest

from firstcause.api.observation import Observation
from firstcause.api.server import Server
from firstcause.api.watched import Found, Watched
from firstcause.observer.cdp.targets import TargetClosed
from firstcause.observer.domains.page import Navigated
from firstcause.observer.domains.page_script import SelectorMatches
from firstcause.observer.signal import Detail

from .serving import client_of, limited
from .signals import signal


class Pages:
    """Stands in for an observation of a browser with one page."""

    def __init__(self, name: str) -> None:
        self.observer = self
        self.name = name
        self.connected = True
        self.watched = Watched(["#pay"])

    def pages(self) -> dict[str, str]:
        return {"p1": "http://shop.test/"}

    def watch_selectors(self, selectors: list[str]) -> None:
        self.watched.set(selectors)


def observed(server: Server, name: str = "b1", project: str = "default") -> Pages:
    pages = Pages(name)
    server.service.browsers.adopt(cast("Observation", pages), "attached", "9222", project)
    return pages


async def test_what_is_watched_is_told_with_what_it_finds(server: Server) -> None:
    pages = observed(server)
    pages.watched.take(signal(SelectorMatches("#pay", 0, 1, "missing"), frame="F1"))
    async with client_of(server, limited(server, "read")) as client:
        answer = await client.get("/v1/selectors")
    assert answer.json() == {
        "browsers": [
            {
                "browser": "b1",
                "project": "default",
                "watched": ["#pay"],
                "pages": {"p1": [{"selector": "#pay", "state": "missing", "count": 0}]},
            }
        ]
    }


async def test_others_are_watched_from_now_on(server: Server) -> None:
    first, second = observed(server), observed(server, "b2")
    async with client_of(server) as client:
        answer = await client.post("/v1/selectors", json={"watch": ["#a", "#pay", "#b"]})
        assert [one["watched"] for one in answer.json()["browsers"]] == [["#pay", "#a", "#b"]] * 2
        one = {"browser": "b2", "watch": ["#c"], "unwatch": ["#pay", "#b", "#none"]}
        assert (await client.post("/v1/selectors", json=one)).status_code == 200
    assert first.watched.selectors == ("#pay", "#a", "#b")
    assert second.watched.selectors == ("#a", "#c")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"browser": "b9", "watch": ["#a"]}, 404, "not_found"),
        ({"watch": [""]}, 422, "bad_field"),
        ({"watch": ["x" * 513]}, 422, "bad_field"),
        ({"watch": [f"#n{number}" for number in range(101)]}, 422, "bad_field"),
        ({"watch": "#a"}, 422, "bad_field"),
        ({"watched": ["#a"]}, 422, "bad_field"),
        ({"watch": [f"#n{number}" for number in range(100)]}, 429, "too_many"),
    ],
)
async def test_what_can_not_be_watched_is_refused_and_changes_nothing(
    server: Server, body: dict[str, Any], status: int, code: str
) -> None:
    pages = observed(server)
    async with client_of(server) as client:
        answer = await client.post("/v1/selectors", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert pages.watched.selectors == ("#pay",)


async def test_reading_is_not_enough_to_change_it(server: Server) -> None:
    pages = observed(server)
    async with client_of(server, limited(server, "read", "publish")) as client:
        answer = await client.post("/v1/selectors", json={"watch": ["#a"]})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    async with client_of(server, limited(server, "control")) as client:
        assert (await client.get("/v1/selectors")).status_code == 403
        assert (await client.post("/v1/selectors", json={"watch": ["#a"]})).status_code == 200
    assert pages.watched.selectors == ("#pay", "#a")


async def test_a_browser_of_another_project_is_not_there(server: Server) -> None:
    pages = observed(server)
    token = limited(server, "read", "control", projects=("elsewhere",))
    async with client_of(server, token) as client:
        assert (await client.get("/v1/selectors")).json() == {"browsers": []}
        assert (await client.post("/v1/selectors", json={"watch": ["#a"]})).json() == {"browsers": []}
        named = await client.post("/v1/selectors", json={"browser": "b1", "watch": ["#a"]})
        assert named.status_code == 404
    assert pages.watched.selectors == ("#pay",)


def taken(*told: tuple[Detail, str]) -> list[Found]:
    watched = Watched(["#a", "#b"])
    for detail, frame in told:
        watched.take(signal(detail, frame=frame))
    return list(watched.on("p1"))


def test_of_several_frames_the_one_that_has_it_speaks_for_the_page() -> None:
    missing, healthy = SelectorMatches("#a", 0, state="missing"), SelectorMatches("#a", 1, state="healthy")
    blocked = SelectorMatches("#a", 1, 1, "blocked")
    assert taken((missing, "F1"), (healthy, "F2"), (missing, "F3")) == [Found("#a", "healthy", 1)]
    assert taken((missing, "F1"), (blocked, "F2")) == [Found("#a", "blocked", 1)]
    assert taken((missing, "F1"), (SelectorMatches("#b", -1, state="invalid"), "F1")) == [
        Found("#a", "missing", 0),
        Found("#b", "invalid", 0),
    ]


def test_what_a_page_found_goes_with_its_document() -> None:
    healthy = SelectorMatches("#a", 1, state="healthy"), "F1"
    assert taken(healthy, (Navigated("http://shop.test/next"), "F1")) == []
    assert taken(healthy, (Navigated("http://shop.test/next", main_frame=False), "F1")) == []
    assert taken(healthy, (Navigated("http://ads.test/", main_frame=False), "F2")) != []
    assert taken(healthy, (TargetClosed("page"), "")) == []
    assert taken(healthy, (TargetClosed("iframe"), "")) != []


def test_what_is_watched_no_more_is_forgotten() -> None:
    watched = Watched(["#a"])
    watched.take(signal(SelectorMatches("#a", 1, state="healthy"), frame="F1"))
    watched.take(signal(SelectorMatches("#never", 1, state="healthy"), frame="F1"))
    watched.set(["#b"])
    watched.set(["#b", "#a", "#never"])
    assert list(watched.on("p1")) == []
