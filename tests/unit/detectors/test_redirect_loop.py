"""A loop is told at its first step that comes again, and Chrome's giving up is no second event; a login's detour is none."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from firstcause.correlator.detectors.redirect_loop import RedirectLoop
from firstcause.observer.domains.log import LogEntry
from firstcause.observer.domains.network import RequestRedirected, RequestSent

from ..flows import SITE
from .traffic import Traffic

GAVE_UP = "net::ERR_TOO_MANY_REDIRECTS"


def redirect(story: Traffic, *addresses: str, request_id: str = "Rp11") -> Traffic:
    """Each address but the last redirects to the next."""
    urls = [address if "//" in address else SITE + address for address in addresses]
    for url, to_url in pairwise(urls):
        story.signal(RequestRedirected("GET", url, to_url, 302), request_id=request_id)
        story.signal(RequestSent("GET", to_url, "Fetch", "other"), request_id=request_id)
    return story


def asked(path: str = "/account", **options: Any) -> Traffic:
    story = Traffic(RedirectLoop, **options)
    story.send(path)
    return story


def give_up(story: Traffic, request_id: str = "Rp11") -> Traffic:
    story.end_of(request_id, "/login", GAVE_UP, 0.1)
    text = f"Failed to load resource: {GAVE_UP}"
    return story.signal(LogEntry("network", "error", text, SITE + "/login"), request_id=request_id)


def test_the_first_step_that_comes_again_tells() -> None:
    story = redirect(asked(), "/account", "/login", "/account")
    assert story.found == []
    redirect(story, "/account", "/login")
    [loop] = story.found
    assert (loop.channel, loop.severity) == ("network_errors", "high")
    assert loop.summary == "GET /account redirects in a loop: after 3 redirects it is at /account again"
    assert loop.context == {
        "method": "GET",
        "url": "/account",
        "status": 302,
        "hops": 3,
        "through": ["/login", "/account"],
        "at": "app.js:10:5 load",
    }


def test_that_chrome_gives_up_later_is_the_same_failure() -> None:
    story = give_up(redirect(asked(), *["/account", "/login"] * 10)).end()
    assert len(story.found) == 1
    assert [event.kind for event in story.events if event.channel == "network_errors"] == ["redirect_loop"]


def test_without_an_early_sign_giving_up_is_told() -> None:
    story = give_up(redirect(asked(), "/account", "/login")).end()
    assert [loop.summary for loop in story.found] == ["GET /login redirects in a loop"]


def test_another_end_of_the_chain_is_a_failure_of_its_own() -> None:
    story = redirect(asked(), "/account", "/login", "/account", "/login")
    story.respond("Rp11", "/login", 500, 0.1)
    assert [event.kind for event in story.events if event.channel == "network_errors"] == [
        "redirect_loop",
        "http_error",
    ]


def test_an_error_that_follows_comes_of_the_loop() -> None:
    story = redirect(asked(), "/account", "/login", "/account", "/login")
    give_up(story).log("Failed to fetch /account").end()
    error = story.event("Failed to fetch")
    assert error.cause is not None
    assert error.cause.id == story.found[0].id


@pytest.mark.parametrize("hops", [4, 5])
def test_five_redirects_by_one_host_are_too_many(hops: int) -> None:
    names = ("account", "a", "b", "c", "d", "e")
    story = redirect(asked(), *[f"/{name}" for name in names[: hops + 1]])
    summaries = ["GET /account was redirected 5 times and has not arrived, it is at /d"]
    assert [loop.summary for loop in story.found] == (summaries if hops == 5 else [])


def test_a_login_elsewhere_and_back_is_no_loop() -> None:
    identity = "https://id.test"
    detour = [f"{identity}/authorize?state=1", f"{identity}/login", f"{identity}/consent", "/callback?code=1"]
    assert redirect(asked(), "/account", "/sso", *detour, "/account", "/account/home").found == []


def test_a_loop_is_one_though_its_query_changes() -> None:
    story = redirect(asked(), "/a", "/login?try=1")
    redirect(story, "/login?try=1", "/a")
    redirect(story, "/a", "/login?try=2")
    assert len(story.found) == 1


def test_requests_are_kept_apart() -> None:
    story = asked()
    other = story.send("/account")
    redirect(redirect(story, "/account", "/login"), "/account", "/login", request_id=other)
    assert story.found == []


def test_how_many_can_be_chosen() -> None:
    assert len(redirect(asked(hops=2), "/account", "/a", "/b").found) == 1
