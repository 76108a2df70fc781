"""The OpenAPI says what the server does: every operation is asked with data that fits its schema and with data that does not."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from firstcause.api.server import Server

from .serving import serving, told

EXAMPLES = 12
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = (
    "GET /client.js",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "GET /v1/chains/{correlation_id}",
    "GET /v1/chains/{correlation_id}/explain",
    "GET /v1/channels/{channel}/events",
    "GET /v1/config",
    "GET /v1/events",
    "GET /v1/events/{event_id}",
    "GET /v1/observe",
    "GET /v1/selectors",
    "GET /v1/stats",
    "GET /v1/stream",
    "PATCH /v1/config",
    "POST /v1/a11y",
    "POST /v1/check",
    "POST /v1/config/optimize",
    "POST /v1/events",
    "POST /v1/observe",
    "POST /v1/selectors",
    "POST /v1/tickets",
)
PUBLIC = ("GET /client.js", "GET /healthz", "GET /readyz")
"""They take nothing, so there is nothing to get wrong."""
ENDLESS = "GET /v1/stream"


class Live:
    """A server in a thread of its own, because what asks it blocks."""

    def __init__(self, folder: Any) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.server: Server
        self.ids: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        self.headers = {"Authorization": f"Bearer {self.server.token}"}
        self.schema = httpx.get(f"{self.server.url}/openapi.json", trust_env=False).json()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self._folder, max_connections=1000) as self.server:
            for channel in ("errors", "runs"):
                self.ids += await told(self.server, 5, channel=channel, correlation_id="c1")
            self._ready.set()
            await self._end.wait()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("openapi")) as live:
        yield live


def bounded(case: Case) -> None:
    """Nothing is waited for, and no browser is started or found."""
    body: Any = case.body
    if (
        case.operation.label == "GET /v1/events"
        and str(case.query.get("wait", "25")).replace(".", "").isdigit()
    ):
        case.query["wait"] = 0
    if case.operation.label == "POST /v1/observe" and isinstance(body, dict):
        if isinstance(body.get("cdp"), str) and body["cdp"]:
            body["cdp"] = "127.0.0.1:1"
        if isinstance(body.get("url"), str) and body["url"]:
            body["url"] = "javascript:alert(1)"


def asked(live: Live, label: str, mode: GenerationMode, ask: Callable[[Case], None]) -> None:
    schema = schemathesis.openapi.from_dict(live.schema)
    schema.config.update(base_url=live.server.url)
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    (operation,) = [one for one in found if one.label == label]

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: Case) -> None:
        bounded(case)
        ask(case)

    once()


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        (label, mode)
        for label in OPERATIONS
        for mode in GenerationMode
        if label != ENDLESS and not (label in PUBLIC and mode is GenerationMode.NEGATIVE)
    ],
    ids=str,
)
def test_every_operation_does_what_its_schema_says(live: Live, label: str, mode: GenerationMode) -> None:
    def ask(case: Case) -> None:
        answer = case.call(headers=live.headers)
        assert answer.status_code != 500
        case.validate_response(answer, checks=CHECKS)

    asked(live, label, mode, ask)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_endless_stream_begins_as_its_schema_says(live: Live, mode: GenerationMode) -> None:
    with httpx.Client(base_url=live.server.url, trust_env=False, timeout=5) as client:

        def ask(case: Case) -> None:
            given = str((case.headers or {}).get("last-event-id", ""))
            headers = {**live.headers, "last-event-id": given if re.fullmatch(r"[!-~]*", given) else "%"}
            with client.stream("GET", "/v1/stream", params=dict(case.query), headers=headers) as answer:
                if answer.status_code == 200:
                    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
                    assert next(answer.iter_bytes()).startswith(b": firstcause\n")
                else:
                    assert answer.status_code in {403, 422, 429}
                    answer.read()
                    assert set(answer.json()) == {"code", "message", "hint"}

        asked(live, ENDLESS, mode, ask)


def test_the_operations_are_all_there(live: Live) -> None:
    told_of = {f"{method.upper()} {path}" for path, item in live.schema["paths"].items() for method in item}
    assert told_of == set(OPERATIONS)


def test_every_operation_has_words_and_a_schema_for_what_it_gives(live: Live) -> None:
    for path, item in live.schema["paths"].items():
        for method, operation in item.items():
            label = f"{method} {path}"
            assert operation["description"], label
            good = next(iter(operation["responses"]))
            content = operation["responses"][good]["content"]
            assert content, label
            for kind, media in content.items():
                assert kind != "application/json" or media["schema"], label
            assert operation["responses"]["4XX"]["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/Refusal"
            }
            public = f"{method.upper()} {path}" in PUBLIC
            assert operation["security"] == ([] if public else [{"token": []}, {"ticket": []}]), label


def test_events_of_the_server_fit_their_schema(live: Live) -> None:
    schema = {"$ref": "#/components/schemas/Event", "components": live.schema["components"]}
    validator = Draft202012Validator(schema)
    with httpx.Client(base_url=live.server.url, headers=live.headers, trust_env=False) as client:
        for one in live.ids:
            validator.validate(client.get(f"/v1/events/{one}").json())
