"""Our isolated world of a page: where its main document is asked what it can't notice, within a time limit."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from .cdp.session import Session
from .errors import CommandFailed, PageBusy

WORLD = "firstcause"
OBJECTS = "firstcause-asked"
MAX_SAID_CHARS = 200


class WorldReply(msgspec.Struct, rename="camel"):
    execution_context_id: int


class Value(msgspec.Struct, rename="camel"):
    value: msgspec.Raw = msgspec.Raw(b"null")
    object_id: str = ""


class Thrown(msgspec.Struct):
    description: str = ""


class ExceptionDetails(msgspec.Struct):
    text: str = ""
    exception: Thrown | None = None


class EvaluateReply(msgspec.Struct, rename="camel"):
    result: Value
    exception_details: ExceptionDetails | None = None


class ResolveReply(msgspec.Struct):
    object: Value


WORLD_REPLY = msgspec.json.Decoder(WorldReply)
EVALUATE = msgspec.json.Decoder(EvaluateReply)
RESOLVE = msgspec.json.Decoder(ResolveReply)


class World:
    """The world of one page for the length of one question. What asks a page that hangs raises PageBusy when the time is up."""

    def __init__(self, session: Session, limit_s: float) -> None:
        self._session = session
        self._limit_s = limit_s
        self._until_s = time.monotonic() + limit_s
        self._context = 0

    async def enter(self) -> None:
        session = self._session
        if session.crashed:
            raise PageBusy(f"{session.page} has crashed.", "Reload it.")
        if session.dialog_open:
            raise PageBusy(f"{session.page} waits for a dialog to be closed.", "Close it first.")
        # Of this name there is one already, that of the page script: Chrome gives that one.
        reply = await self.call("Page.createIsolatedWorld", frameId=session.info.target_id, worldName=WORLD)
        self._context = WORLD_REPLY.decode(reply).execution_context_id

    async def call(self, method: str, **params: Any) -> msgspec.Raw:
        return await self._in_time(self._session.post(method, **params))

    async def run(self, expression: str) -> msgspec.Raw:
        """The value of an expression, or what its promise comes to."""
        reply = await self.call("Runtime.evaluate", **self._evaluating(expression))
        return value_of(reply).value

    async def occupy(self, expression: str) -> msgspec.Raw:
        """As `run`, of what keeps the main thread busy: that is no hang of the page's own, also if it takes too long for us."""
        session = self._session

        def done(_: object) -> None:
            session.occupied -= 1

        session.occupied += 1
        answer = session.post("Runtime.evaluate", **self._evaluating(expression))
        answer.add_done_callback(done)
        return value_of(await self._in_time(answer)).value

    async def held(self, expression: str) -> str:
        """The id of an object that the page holds for us until `release`."""
        params = self._evaluating(expression) | {"returnByValue": False, "objectGroup": OBJECTS}
        return value_of(await self.call("Runtime.evaluate", **params)).object_id

    async def node(self, backend_node_id: int) -> str:
        """The same for a node that Chrome named by its own number."""
        reply = await self.call(
            "DOM.resolveNode",
            backendNodeId=backend_node_id,
            executionContextId=self._context,
            objectGroup=OBJECTS,
        )
        return RESOLVE.decode(reply).object.object_id

    async def apply(self, function: str, object_id: str, *arguments: str) -> msgspec.Raw:
        """What a function gives for an object that the page holds."""
        reply = await self.call(
            "Runtime.callFunctionOn",
            functionDeclaration=function,
            objectId=object_id,
            arguments=[{"value": argument} for argument in arguments],
            returnByValue=True,
            silent=True,
        )
        return value_of(reply).value

    def release(self) -> None:
        self._session.post("Runtime.releaseObjectGroup", objectGroup=OBJECTS)

    def _evaluating(self, expression: str) -> dict[str, Any]:
        return {
            "expression": expression,
            "contextId": self._context,
            "awaitPromise": True,
            "returnByValue": True,
            "silent": True,
        }

    async def _in_time(self, answer: asyncio.Future[msgspec.Raw]) -> msgspec.Raw:
        await asyncio.wait([answer], timeout=max(0.0, self._until_s - time.monotonic()))
        if not answer.done():
            raise PageBusy(
                f"{self._session.page} did not answer within {self._limit_s:g} s.",
                "Something keeps its main thread busy, or its next document is still on its way: ask again when it rests.",
            )
        return answer.result()


def value_of(reply: msgspec.Raw) -> Value:
    """What an evaluation came to; raises CommandFailed with what was thrown."""
    evaluated = EVALUATE.decode(reply)
    if (details := evaluated.exception_details) is not None:
        said = details.exception.description if details.exception else details.text
        raise CommandFailed(f"The page could not be asked: {said.partition(chr(10))[0][:MAX_SAID_CHARS]}.")
    return evaluated.result
