"""Learns of every Chromium that the tests launch through Playwright, sync or async, with fixtures or without, and observes it."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from .background import Background
from .guard import Guard
from .steps import Steps

FLAVOURS: Final = ("playwright.sync_api", "playwright.async_api")
PORT: Final = "--remote-debugging-port"
PIPE: Final = "--remote-debugging-pipe"
ATTACHED_WITHIN_S: Final = 20.0
LAUNCHES: Final = ("launch", "launch_persistent_context", "connect_over_cdp")


class Browsers:
    """Wraps the public methods that give a browser, for as long as it is installed. What they take and give stays as it is, but
    for one more argument of the browser: a DevTools port beside Playwright's own pipe.
    """

    def __init__(self, background: Background, steps: Steps, guard: Guard) -> None:
        self._background = background
        self._steps = steps
        self._guard = guard
        self._originals: list[tuple[Any, str, Any]] = []
        self._known: set[str] = set()
        self.others: set[str] = set()
        """Browsers that can't be observed, by name: firefox, webkit."""

    def install(self) -> None:
        """In what is imported so far; a test may import Playwright at any time, so this is called again and again."""
        for flavour in FLAVOURS:
            module = sys.modules.get(flavour)
            if module is None or flavour in self._known or not hasattr(module, "BrowserType"):
                continue
            self._known.add(flavour)
            with self._guard:
                self._wrap(module.BrowserType, is_async=flavour.endswith("async_api"))

    def uninstall(self) -> None:
        for cls, name, original in reversed(self._originals):
            setattr(cls, name, original)
        self._originals.clear()
        self._known.clear()

    def _wrap(self, cls: Any, *, is_async: bool) -> None:
        for name in LAUNCHES:
            original = cls.__dict__[name]
            make = self._async if is_async else self._sync
            self._originals.append((cls, name, original))
            setattr(cls, name, make(name, original))

    def _sync(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def launched(browser_type: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            self._before(browser_type, name, kwargs)
            found = original(browser_type, *args, **kwargs)
            with self._guard:
                if self._is_ours(browser_type):
                    self._observe_sync(name, found, args, kwargs)
            return found

        return launched

    def _async(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        async def launched(browser_type: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            self._before(browser_type, name, kwargs)
            found = await original(browser_type, *args, **kwargs)
            with self._guard:
                if self._is_ours(browser_type):
                    await self._observe_async(name, found, args, kwargs)
            return found

        return launched

    def _before(self, browser_type: Any, name: str, kwargs: dict[str, Any]) -> None:
        with self._guard:
            self._steps.listen_to(browser_type)
            if not self._is_ours(browser_type):
                self.others.add(str(browser_type.name))
                return
            self._background.start()
            if name != "connect_over_cdp":
                given = [str(arg) for arg in kwargs.get("args") or ()]
                if not any(arg.startswith((PORT, PIPE)) for arg in given):
                    kwargs["args"] = [*given, f"{PORT}=0"]

    def _is_ours(self, browser_type: Any) -> bool:
        return browser_type.name == "chromium"

    def _observe_sync(self, name: str, found: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from ...observer.sources.attach import ws_url_of_sync

        address = _told_address(name, found, args, kwargs) or ws_url_of_sync(_browser_of(found))
        attached = self._background.attach(address, _impl(found))
        self._when_closed(found, attached.result(ATTACHED_WITHIN_S))

    async def _observe_async(
        self, name: str, found: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        from ...observer.sources.attach import ws_url_of

        address = _told_address(name, found, args, kwargs) or await ws_url_of(_browser_of(found))
        attached = asyncio.wrap_future(self._background.attach(address, _impl(found)))
        self._when_closed(found, await asyncio.wait_for(attached, ATTACHED_WITHIN_S))

    def _when_closed(self, found: Any, observed: Any) -> None:
        event = "disconnected" if hasattr(found, "new_browser_cdp_session") else "close"
        found.on(event, self._guard.quietly(lambda *_: self._background.let_go(observed)))


def _told_address(name: str, found: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Where its DevTools are, if the call itself says that."""
    if name == "connect_over_cdp":
        return str(kwargs.get("endpoint_url") or (args[0] if args else ""))
    folder = kwargs.get("user_data_dir") or (args[0] if args and name != "launch" else "")
    if name == "launch_persistent_context" and folder and _browser_of(found) is None:
        from ...observer.sources.attach import PORT_FILE, read_port_file

        return read_port_file([Path(folder) / PORT_FILE])
    return ""


def _browser_of(found: Any) -> Any:
    """Of a persistent context older versions of Playwright know no browser."""
    return found if hasattr(found, "new_browser_cdp_session") else found.browser


def _impl(found: Any) -> object:
    return getattr(found, "_impl_obj", found)
