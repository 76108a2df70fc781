"""Selectors as people write them, and what a page is asked about them over HTTP."""

from __future__ import annotations

from typing import Any, cast

import pytest

from firstcause.api.observation import Observation
from firstcause.api.server import Server
from firstcause.observer.asked_selector import Asked, BadSelector, parsed
from firstcause.observer.asking import Check, FoundElement
from firstcause.observer.axe import Looked, Violated
from firstcause.observer.errors import PageBusy

from .serving import client_of, limited

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


@pytest.mark.parametrize(
    ("selector", "asked"),
    [
        ("#save", Asked("css", "#save")),
        ("[role=button]", Asked("css", "[role=button]")),
        ("css=a > b", Asked("css", "a > b")),
        ("text=Save", Asked("text", "Save")),
        ('text="Save all"', Asked("text", "Save all", exact=True)),
        ("text='It\\'s'", Asked("text", "It's", exact=True)),
        ("label=Mail", Asked("label", "Mail")),
        (" placeholder = Your name ", Asked("placeholder", "Your name")),
        ("testid=save", Asked("testid", "save")),
        ("role=button", Asked("role", "button", exact=True)),
        ('role=button[name="Save"]', Asked("role", "button", True, "Save")),
        ("role=button[name='save'i]", Asked("role", "button", False, "save")),
        ('role=button[ name = "a]b" ][disabled]', Asked("role", "button", True, "a]b", {"disabled": "true"})),
        ('role=button[name="say \\"yes\\""]', Asked("role", "button", True, 'say "yes"')),
        ("role=checkbox[checked=false]", Asked("role", "checkbox", True, None, {"checked": "false"})),
        ("role=heading[level=2]", Asked("role", "heading", True, None, {"level": "2"})),
        ("role=img", Asked("role", "image", exact=True)),
    ],
)
def test_a_selector_that_is_understood(selector: str, asked: Asked) -> None:
    assert parsed(selector) == asked


@pytest.mark.parametrize(
    ("selector", "wrong"),
    [
        ("", "empty"),
        ("text=", "text="),
        ("role=", "role="),
        ("role=[name=x]", "role=button"),
        ("role=button name", "role=button"),
        ("role=button[name]", "[name]"),
        ("role=button[colour=red]", "[colour]"),
        ("role=button[name=/save/]", "/save/"),
        ('role=button[name="Save"', "role=button"),
        ('role=button[name="Save"]x[checked]', "x[checked]"),
    ],
)
def test_a_selector_that_is_none_says_why(selector: str, wrong: str) -> None:
    with pytest.raises(BadSelector) as refused:
        parsed(selector)
    assert wrong in str(refused.value)


class Pages:
    """Stands in for an observation of a browser with the pages p1 and p2."""

    def __init__(self, name: str) -> None:
        self.observer = self
        self.name = name
        self.connected = True
        self.asked: list[tuple[Any, ...]] = []

    def pages(self) -> dict[str, str]:
        return {"p1": "http://shop.test/", "p2": "http://shop.test/cart"}

    async def check_selector(self, page: str, selector: str) -> Check:
        self.asked.append((page, selector))
        if page == "p2":
            raise PageBusy("p2 did not answer within 5 s.", "Ask again.")
        return Check("ambiguous", 4, (FoundElement("#a", 'button "Save"'), FoundElement("#b", "link")))

    async def check_accessibility(self, page: str, *, full: bool = False) -> Looked:
        self.asked.append((page, full))
        return Looked(
            (Violated("image-alt", "critical", 7, ("#logo",), "Images need a text"),), 30, ("list",)
        )


def observed(server: Server, name: str = "b1", project: str = "default") -> Pages:
    pages = Pages(name)
    server.service.browsers.adopt(cast("Observation", pages), "attached", "9222", project)
    return pages


async def test_what_a_selector_finds_is_told(server: Server) -> None:
    pages = observed(server)
    async with client_of(server) as client:
        answer = await client.post("/v1/check", json={"page": "p1", "selector": f"text={SECRET}"})
    assert answer.status_code == 200
    told = answer.json()
    assert SECRET not in told.pop("selector")
    assert told == {
        "browser": "b1",
        "page": "p1",
        "state": "ambiguous",
        "count": 4,
        "elements": [{"selector": "#a", "words": 'button "Save"'}, {"selector": "#b", "words": "link"}],
        "reason": "",
    }
    assert pages.asked == [("p1", f"text={SECRET}")]


async def test_what_axe_finds_is_told(server: Server) -> None:
    pages = observed(server)
    async with client_of(server) as client:
        answer = await client.post("/v1/a11y", json={"page": "p1", "full": True})
    assert answer.json() == {
        "browser": "b1",
        "page": "p1",
        "violations": [
            {
                "rule": "image-alt",
                "impact": "critical",
                "count": 7,
                "nodes": ["#logo"],
                "help": "Images need a text",
            }
        ],
        "rules": 30,
        "left": ["list"],
    }
    assert pages.asked == [("p1", True)]


async def test_what_can_not_be_asked_is_refused_with_a_code(server: Server) -> None:
    observed(server)
    observed(server, "b2")
    async with client_of(server) as client:

        async def refused(**asked: str) -> tuple[int, str]:
            answer = await client.post("/v1/check", json={"selector": "#a", **asked})
            return answer.status_code, answer.json()["code"]

        assert await refused(page="p9") == (404, "unknown_page")
        assert await refused(page="p1", browser="b9") == (404, "not_found")
        assert await refused(page="p1") == (422, "bad_field")
        assert await refused(page="p2", browser="b2") == (504, "page_busy")
        assert await refused(page="p1", colour="red") == (422, "bad_field")
        assert await refused(browser="b1") == (422, "bad_field")
        good = await client.post("/v1/check", json={"selector": "#a", "page": "p1", "browser": "b2"})
        assert good.json()["browser"] == "b2"


async def test_reading_is_enough_for_a_selector_but_not_to_keep_a_page_busy(server: Server) -> None:
    observed(server)
    async with client_of(server, limited(server, "read")) as reader:
        assert (await reader.post("/v1/check", json={"page": "p1", "selector": "a"})).status_code == 200
        refused = await reader.post("/v1/a11y", json={"page": "p1"})
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    async with client_of(server, limited(server, "control")) as driver:
        assert (await driver.post("/v1/check", json={"page": "p1", "selector": "a"})).status_code == 403
        assert (await driver.post("/v1/a11y", json={"page": "p1"})).status_code == 200


async def test_a_page_of_another_project_is_not_there(server: Server) -> None:
    pages = observed(server, project="default")
    token = limited(server, "read", "control", projects=("elsewhere",))
    async with client_of(server, token) as client:
        for path, body in (("/v1/check", {"selector": "a"}), ("/v1/a11y", {})):
            answer = await client.post(path, json={"page": "p1", **body})
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_page")
            answer = await client.post(path, json={"page": "p1", "browser": "b1", **body})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert pages.asked == []
