"""Does on a page what a person does: goes somewhere, clicks, writes, presses a key; by the browser's own input, in the main document."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import msgspec

from .cdp.session import Session
from .errors import CommandFailed, PageBusy
from .page import asked
from .picking import picked
from .world import World

LOOK_S = 0.05
LOADED = "new Promise((resolve) => document.readyState === 'complete' ? resolve(0) : addEventListener('load', () => resolve(0)))"


class Key(NamedTuple):
    code: int
    text: str = ""


KEYS = {
    "ArrowDown": Key(40),
    "ArrowLeft": Key(37),
    "ArrowRight": Key(39),
    "ArrowUp": Key(38),
    "Backspace": Key(8),
    "Delete": Key(46),
    "End": Key(35),
    "Enter": Key(13, "\r"),
    "Escape": Key(27),
    "Home": Key(36),
    "PageDown": Key(34),
    "PageUp": Key(33),
    "Space": Key(32, " "),
    "Tab": Key(9),
}


class Ready(msgspec.Struct):
    """Where to click; or why it can't be done."""

    x: float = 0.0
    y: float = 0.0
    why: str = ""


class Navigated(msgspec.Struct, rename="camel"):
    error_text: str = ""


READY = msgspec.json.Decoder(Ready)
NAVIGATED = msgspec.json.Decoder(Navigated)


class Actor:
    """Acts on one page, within a time limit for all. Raises CommandFailed with what stands in the way, and PageBusy."""

    def __init__(self, session: Session, limit_s: float) -> None:
        self._session = session
        self._world = World(session, limit_s)
        self._until_s = time.monotonic() + limit_s

    async def navigate(self, url: str) -> None:
        """Until the page has loaded, or the time is up."""
        answer = await self._send("Page.navigate", url=url)
        if answer and (error := NAVIGATED.decode(answer).error_text):
            raise CommandFailed(f"The address can't be opened: {error}.", "Is its server running?")
        with suppress(
            CommandFailed
        ):  # slow, or already on its way elsewhere: what comes of it is told all the same
            await self._world.enter()
            await self._world.run(LOADED)

    async def click(self, selector: str) -> None:
        ready = await self._ready("point", selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            pressed: dict[str, Any] = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            await self._send("Input.dispatchMouseEvent", type=kind, x=ready.x, y=ready.y, **pressed)

    async def fill(self, selector: str, text: str) -> None:
        """In place of what is there."""
        await self._ready("write", selector)
        await (self._send("Input.insertText", text=text) if text else self._key("Delete"))

    async def press(self, selector: str, key: str) -> None:
        """On the element, or wherever the page has its focus."""
        if key not in KEYS and len(key) != 1:
            raise CommandFailed(f"{key[:40]} is no key.", f"A single character, or one of {', '.join(KEYS)}.")
        if selector:
            await self._ready("focus", selector)
        await self._key(key)

    async def _ready(self, what: Literal["point", "write", "focus"], selector: str) -> Ready:
        world = self._world
        await world.enter()
        try:
            element = await picked(world, selector, only=True)
            with suppress(CommandFailed):  # what takes up no room, which is told better
                await world.call("DOM.scrollIntoViewIfNeeded", objectId=element)
            script = files(asked).joinpath("act.js").read_text("utf-8")
            function = f"function () {{ return ({script})(firstcause).{what}(this); }}"
            ready = READY.decode(await world.apply(function, element))
        finally:
            world.release()
        if ready.why:
            raise CommandFailed(f"{selector[:80]} {ready.why}.", "Nothing was done.")
        return ready

    async def _key(self, key: str) -> None:
        known = KEYS.get(key, Key(0, key))
        name = " " if key == "Space" else key
        code = {"windowsVirtualKeyCode": known.code, "code": key} if known.code else {}
        down = {"type": "keyDown", "text": known.text} if known.text else {"type": "rawKeyDown"}
        await self._send("Input.dispatchKeyEvent", key=name, **code, **down)
        await self._send("Input.dispatchKeyEvent", key=name, **code, type="keyUp")

    async def _send(self, method: str, **params: Any) -> msgspec.Raw | None:
        """None if it opened a dialog: Chrome answers when that is closed."""
        session, answer = self._session, self._session.post(method, **params)
        while not answer.done() and not session.dialog_open:
            if (left_s := self._until_s - time.monotonic()) <= 0:
                raise PageBusy(
                    f"{session.page} did not take it in time.", "It may still do so: ask what happened."
                )
            await asyncio.wait([answer], timeout=min(left_s, LOOK_S))
        return answer.result() if answer.done() else None
