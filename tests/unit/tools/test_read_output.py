"""What an agent reads of an event on demand: from literal frames, without a browser."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest

from firstcause.api.attachments import KEPT, Attachments, redacted
from firstcause.api.observation import Observation
from firstcause.api.server import Server
from firstcause.api.watched import Watched
from firstcause.correlator.engine import Engine
from firstcause.correlator.redact import BUILT_IN
from firstcause.observer.asking import Check, FoundElement
from firstcause.observer.axe import Looked, Violated
from firstcause.observer.domains.network import RequestFinished
from firstcause.observer.ended_bodies import KEPT_REQUESTS, EndedBodies
from firstcause.observer.long_texts import KEPT_CHARS, KEPT_TEXTS, LongTexts

from ..serving import limited
from ..signals import signal
from ..wire import Wire
from .agents import Agent, told

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
FRAME = {"functionName": "pay", "url": "http://a/app.js?token=" + SECRET, "lineNumber": 19, "columnNumber": 4}


class Watching:
    """Stands in for an observation: what the wire brings becomes the server's events."""

    def __init__(self, wire: Wire, server: Server) -> None:
        self.observer = wire.observer
        self.wire = wire
        self.server = server
        self.watched = Watched()
        self.engine = Engine("default")
        self.attachments = Attachments(self.engine, wire.observer, BUILT_IN)
        self._fed = 0
        server.service.browsers.adopt(cast("Observation", self), "attached", "9222", "default")

    async def tell(self) -> str:
        """Whatever the wire brought so far; the id of the last event that is made of it."""
        events = []
        for each in self.wire.signals[self._fed :]:
            self.attachments.take(each)
            events += self.engine.feed(each)
        self._fed = len(self.wire.signals)
        events += self.engine.finish()
        await told(self.server, *events)
        return events[-1].id

    async def check_selector(self, page: str, selector: str) -> Check:
        return Check("ambiguous", 2, (FoundElement("#a", 'button "Save"'), FoundElement("#b", "link")))

    async def check_accessibility(self, page: str, *, full: bool = False) -> Looked:
        violated = [
            Violated("list", "minor", 1, ("ul",), "Lists"),
            Violated("image-alt", "critical", 7, ("#logo",), "Texts"),
        ]
        return Looked(tuple(violated), 30, ("colour",))


@pytest.fixture
def watching(wire: Wire, server: Server) -> Watching:
    return Watching(wire, server)


def answers(wire: Wire, body: str = "{}", *, ends: bool = True, encoded: bool = False) -> None:
    """POST /api/cart answers 500."""
    request = {"url": "http://a/api/cart", "method": "POST", "headers": {}}
    wire.event(
        "Network.requestWillBeSent",
        {"requestId": "R1", "timestamp": 1, "wallTime": 1_764_000_000, "request": request, "type": "Fetch"},
    )
    wire.event(
        "Network.responseReceived",
        {
            "requestId": "R1",
            "timestamp": 1.1,
            "type": "Fetch",
            "response": {
                "url": "http://a/api/cart",
                "status": 500,
                "headers": {},
                "mimeType": "application/json",
            },
        },
    )
    if ends:
        wire.event(
            "Network.loadingFinished", {"requestId": "R1", "timestamp": 1.2, "encodedDataLength": len(body)}
        )
    wire.answers["Network.getResponseBody"] = {"body": body, "base64Encoded": encoded}


def logs(wire: Wire, text: str) -> None:
    wire.event(
        "Runtime.consoleAPICalled",
        {
            "type": "error",
            "timestamp": 1000,
            "args": [{"type": "string", "value": text}],
            "stackTrace": {"callFrames": [FRAME]},
        },
    )


async def test_a_body_is_fetched_once_and_only_when_it_is_asked_for(watching: Watching) -> None:
    wire, agent = watching.wire, Agent(watching.server)
    answers(wire, f'{{"items":[1,2],"note":"paid by {SECRET}","password":"horse"}}')
    event_id = await watching.tell()
    assert "Network.getResponseBody" not in wire.methods()
    listed = await agent.call("observe", what="output", id=event_id)
    assert listed["refs"] == [{"ref": f"event:{event_id}/body"}]
    for _ in range(2):
        read = await agent.call("read_output", ref=f"event:{event_id}/body")
        assert read["json"]
        assert read["end"]
        assert SECRET not in agent.text
        assert "horse" not in agent.text
    assert wire.methods().count("Network.getResponseBody") == 1
    piece = await agent.call(
        "read_output", ref=f"event:{event_id}/body", include=["1", "2"], exclude=["2"], include_stats=True
    )
    assert piece["text"] == "  1,"
    assert piece["stats"]["matching_from_here"] == 1
    assert (await agent.call("read_output", ref=f"event:{event_id}/body", include=["^ +[12]"], regex=True))[
        "text"
    ] == "  1,\n  2"


async def test_a_body_that_has_not_ended_is_never_asked_for(watching: Watching) -> None:
    answers(watching.wire, ends=False)
    event_id = await watching.tell()
    error = await Agent(watching.server).refused("read_output", ref=f"event:{event_id}/body")
    assert error["code"] == "not_found"
    assert "not read" in error["hint"]
    assert "Network.getResponseBody" not in watching.wire.methods()


async def test_a_body_that_is_no_text_says_so(watching: Watching) -> None:
    answers(watching.wire, "/9j/4AAQSkZJRgABAQ==", encoded=True)
    read = await Agent(watching.server).call("read_output", ref=f"event:{await watching.tell()}/body")
    assert read["binary"]
    assert read["text"] == ""


async def test_a_body_that_chrome_does_not_hand_over_is_refused_in_time(watching: Watching) -> None:
    wire, agent = watching.wire, Agent(watching.server)
    answers(wire)
    event_id = await watching.tell()
    wire.silent.add(("Network.getResponseBody", "S1"))
    error = await agent.refused("read_output", ref=f"event:{event_id}/body", timeout=0.1)
    assert error["code"] == "page_busy"
    wire.detach()
    error = await agent.refused("read_output", ref=f"event:{event_id}/body")
    assert error["code"] == "unknown_page"


async def test_a_long_console_text_and_its_stack_are_read_whole(watching: Watching) -> None:
    agent = Agent(watching.server)
    text = " ".join(f"word{number}" for number in range(3_000)) + f" {SECRET}"
    logs(watching.wire, text)
    event_id = await watching.tell()
    refs = (await agent.call("observe", what="output"))["refs"]
    assert [one["ref"] for one in refs] == [
        f"event:{event_id}/stack",
        f"event:{event_id}/text",
        "page:b1:p1/dom",
    ]
    read, after = "", 0
    while after is not None:
        piece = await agent.call("read_output", ref=f"event:{event_id}/text", after=after)
        read += piece["text"].replace("\n", "")
        after = piece.get("next")
    assert read == text.replace(SECRET, "***")
    stack = await agent.call("read_output", ref=f"event:{event_id}/stack")
    assert stack["text"] == "at pay http://a/app.js:20:5"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ({"ref": "nonsense"}, "bad_field", "event:ID/body"),
        ({"ref": "event:e1/colour"}, "bad_field", "event:ID/stack"),
        ({"ref": "event:e1/body"}, "not_found", "observe"),
        ({"ref": "page:p9/dom"}, "unknown_page", "pages"),
        ({"ref": "page:p1/dom", "after": 7}, "not_found", "after"),
        ({"ref": "event:e1/body", "include": ["/(/"]}, "bad_filter", "RE2"),
        ({"ref": "event:e1/body", "include": ["("], "regex": True}, "bad_filter", "RE2"),
        ({"ref": "event:e1/body", "max_bytes": 100_000}, "bad_arguments", "max_bytes"),
    ],
    ids=str,
)
async def test_what_can_not_be_read_says_how_the_next_call_works(
    watching: Watching, arguments: dict[str, Any], code: str, says: str
) -> None:
    error = await Agent(watching.server).refused("read_output", **arguments)
    assert error["code"] == code
    assert says in str(error)


async def test_what_another_project_saw_is_not_read(watching: Watching) -> None:
    answers(watching.wire)
    event_id = await watching.tell()
    grant = watching.server.service.keyring.grant_of(
        limited(watching.server, "read", projects=("elsewhere",))
    )
    error = await Agent(watching.server, grant=grant).refused("read_output", ref=f"event:{event_id}/body")
    assert error["code"] == "project_refused"


async def test_views_ask_the_page(watching: Watching) -> None:
    agent = Agent(watching.server)
    found = await agent.call("observe", what="selectors", page="p1", selector="text=Save")
    assert (found["state"], found["count"], len(found["elements"])) == ("ambiguous", 2, 2)
    looked = await agent.call("observe", what="a11y")
    assert [one["rule"] for one in looked["violations"]] == ["image-alt", "list"]
    assert looked["no_time_for"] == ["colour"]
    assert (await agent.call("observe", what="selectors"))["selectors"] == []
    assert "configure" in agent.text
    assert (await agent.refused("observe", what="a11y", page="p7"))["code"] == "unknown_page"


async def test_what_is_kept_is_bounded(watching: Watching) -> None:
    texts = LongTexts()
    for order in range(KEPT_TEXTS + 1):
        texts.keep("S1", order, "x" * 2_000)
    assert (texts.get("S1", 0), len(texts.get("S1", 1))) == ("", 2_000)
    texts.keep("S1", 9_999, "y" * KEPT_CHARS)
    assert (texts.get("S1", KEPT_TEXTS), len(texts.get("S1", 9_999))) == ("", KEPT_CHARS)
    bodies = EndedBodies()
    for number in range(KEPT_REQUESTS + 1):
        bodies.take(signal(RequestFinished("GET", "/", "Fetch"), request_id=f"R{number}"))
    assert (bodies.session_of("R0"), bodies.session_of("R1")) == ("", "S1")
    for number in range(KEPT + 1):
        watching.attachments._keep(str(number), redacted("text", BUILT_IN, math.inf))
    assert len(watching.attachments._read) == KEPT


def test_what_takes_too_long_is_cut_and_says_so() -> None:
    cut = redacted("lorem ipsum " * 5_000, BUILT_IN, 0.0)
    assert (cut.about["cut"], cut.about["timed_out"]) == (True, True)
    assert 0 < len(cut.text) < 10_000


def test_json_that_is_none_or_too_deep_is_read_as_text() -> None:
    assert redacted("{not json", BUILT_IN, math.inf, lay_out=True).text == "{not json"
    deep = "[" * 100_000
    assert redacted(deep, BUILT_IN, math.inf, lay_out=True).text == deep
    assert redacted("half \ud800 a character", BUILT_IN, math.inf).text == "half ? a character"


async def test_a_step_that_lacks_something_or_is_not_allowed_is_refused(watching: Watching) -> None:
    agent = Agent(watching.server)
    assert (await agent.refused("act", action="click"))["message"] == "selector is missing."
    assert (await agent.refused("act", action="navigate", value="javascript:alert(1)"))["code"] == "bad_url"
    assert (await agent.refused("act", action="press", value="Ctrl+C"))["code"] == "command_failed"
    reader = watching.server.service.keyring.grant_of(limited(watching.server, "read"))
    error = await Agent(watching.server, grant=reader).refused("act", action="press", value="a")
    assert error["code"] == "scope_missing"


async def test_a_key_is_pressed_by_the_browsers_own_input(watching: Watching) -> None:
    agent = Agent(watching.server)
    await agent.call("act", action="press", value="Enter", wait_s=0)
    pressed = [one["params"] for one in watching.wire.sent if one["method"] == "Input.dispatchKeyEvent"]
    assert [(one["type"], one["key"]) for one in pressed] == [("keyDown", "Enter"), ("keyUp", "Enter")]
