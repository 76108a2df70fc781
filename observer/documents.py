"""Asks for what is long: the body of a request that has ended, and an element as HTML."""

from __future__ import annotations

import asyncio
import base64
import binascii
from importlib.resources import files
from typing import NamedTuple

import msgspec

from .cdp.session import Session
from .errors import CommandFailed, CommandTimeout, ConnectionLost, PageBusy
from .page import asked
from .picking import picked
from .world import World

MAX_HTML_CHARS = 4 << 20


class Body(NamedTuple):
    """`text` is empty where there is none."""

    text: str
    size_bytes: int
    is_text: bool


class Html(msgspec.Struct):
    html: str
    cut: bool = False


class BodyReply(msgspec.Struct, rename="camel"):
    body: str
    base64_encoded: bool = False


BODY = msgspec.json.Decoder(BodyReply)
HTML = msgspec.json.Decoder(Html)


async def response_body(session: Session, request_id: str, limit_s: float) -> Body:
    """Of a request that is known to have ended. Raises CommandFailed if Chrome has let go of it, PageBusy if it does not answer."""
    try:
        answer = await session.post("Network.getResponseBody", limit_s, requestId=request_id)
    except CommandTimeout as error:
        raise PageBusy(
            f"{session.page} did not hand over the body within {limit_s:g} s.", "Ask again later."
        ) from error
    except ConnectionLost:
        raise
    except CommandFailed as error:
        raise CommandFailed(
            "Chrome does not keep this body any more.",
            "It lets go of bodies when their page goes elsewhere, and of the oldest when there are too many: read them sooner.",
        ) from error
    return await asyncio.to_thread(body_of, answer)


def body_of(answer: msgspec.Raw) -> Body:
    reply = BODY.decode(answer)
    if not reply.base64_encoded:
        return Body(reply.body, len(reply.body.encode(errors="replace")), is_text=True)
    try:
        raw = base64.b64decode(reply.body)
        text = raw.decode()
    except (binascii.Error, UnicodeDecodeError):
        return Body("", len(reply.body) * 3 // 4, is_text=False)
    return Body(text, len(raw), is_text="\0" not in text)


async def element_html(session: Session, selector: str, limit_s: float) -> Html:
    """The first element that the selector finds, or the document where there is no selector. Raises CommandFailed, PageBusy."""
    world = World(session, limit_s)
    await world.enter()
    try:
        element = await (picked(world, selector) if selector else world.held("document.documentElement"))
        if not element:
            raise CommandFailed(f"{session.page} has no document now.", "Ask again once it is loaded.")
        script = files(asked).joinpath("html.js").read_text("utf-8")
        return HTML.decode(
            await world.apply(f"function () {{ return ({script})({MAX_HTML_CHARS})(this); }}", element)
        )
    finally:
        world.release()
