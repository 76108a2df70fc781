"""Where an observation looks for its browser, the first time and when it was lost."""

from __future__ import annotations

import pytest

from firstcause.api import observation
from firstcause.api.observation import resolver
from firstcause.observer.errors import BrowserUnreachable


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked for; the answers are made of it, and gone.test does not answer."""
    asked: list[str] = []

    async def resolve_ws_url(address: str | int) -> str:
        asked.append(str(address))
        if "gone.test" in asked[-1] and not asked[-1].startswith("ws"):
            raise BrowserUnreachable("gone.test does not answer.")
        return f"found {address}"

    monkeypatch.setattr(observation, "resolve_ws_url", resolve_ws_url)
    return asked


@pytest.mark.parametrize("address", [9222, "9222", "localhost:9222", "http://localhost:9222"])
async def test_a_port_is_asked_every_time(asked: list[str], address: str | int) -> None:
    resolve = resolver(address)
    for _ in range(3):
        assert await resolve() == f"found {address}"
    assert asked == [str(address)] * 3


@pytest.mark.parametrize(("scheme", "then"), [("ws", "http"), ("wss", "https")])
async def test_the_address_of_one_browser_is_taken_as_it_is_and_its_port_asked_later(
    asked: list[str], scheme: str, then: str
) -> None:
    resolve = resolver(f"{scheme}://host.test:9222/devtools/browser/AB?token=1")
    assert await resolve() == f"found {scheme}://host.test:9222/devtools/browser/AB?token=1"
    assert await resolve() == f"found {then}://host.test:9222"


async def test_a_service_that_answers_at_one_address_only_is_asked_there_again(asked: list[str]) -> None:
    address = "wss://gone.test/chromium?token=1"
    resolve = resolver(address)
    assert await resolve() == f"found {address}"
    assert await resolve() == address
    assert asked == [address, "https://gone.test"]


async def test_two_resolvers_do_not_share_what_they_know(asked: list[str]) -> None:
    address = "ws://host.test:1/devtools/browser/AB"
    await resolver(address)()
    assert await resolver(address)() == f"found {address}"
