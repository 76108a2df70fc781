"""Stress: who must not get in, and who must not get further than the token says."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from _stress_client import Answer, Headers, Refused, Talk, ask, bearer
from _stress_server import Served, serving
from _stress_truth import Checks

from firstcause.api.auth import Keyring

UNAUTHORIZED, FORBIDDEN = 4401, 4403
OURS, THEIRS = "shop", "bank"
ROUTES = (
    ("GET", "/v1/stream"),
    ("GET", "/v1/events?wait=0"),
    ("POST", "/v1/events"),
    ("GET", "/v1/events/x"),
    ("GET", "/v1/channels/runs/events"),
    ("GET", "/v1/chains/x"),
    ("GET", "/v1/config"),
    ("PATCH", "/v1/config"),
    ("POST", "/v1/config/optimize"),
    ("GET", "/v1/stats"),
    ("GET", "/v1/observe"),
    ("POST", "/v1/observe"),
    ("POST", "/v1/tickets"),
    ("GET", "/metrics"),
)
EVENT = {"channel": "runs", "kind": "stress", "summary": "a secret of theirs"}
LOST = {"op": "subscribe", "channels": ["runs"], "cursor": "start", "throttle_ms": 0}


def strangers(master: str) -> Iterator[tuple[str, Headers]]:
    """Headers that open nothing."""
    limited = Keyring(master).issue(["read"], [], 3600)
    expired = Keyring(master, now_s=lambda: time.time() - 3600).issue(["read"], [], 60)
    body, _, signature = limited.removeprefix("fc_").partition(".")
    yield "nothing", {}
    tokens = {
        "empty": "",
        "wrong": "x" * len(master),
        "truncated": master[:-1],
        "longer": master + "x",
        "other case": master.swapcase(),
        "doubled": f"{master} {master}",
        "expired": expired,
        "of another server": Keyring("another master token").issue(["read"], [], 3600),
        "without a signature": f"fc_{body}.",
        "only a signature": f"fc_.{signature}",
        "signature cut": limited[:-1],
        "signature longer": limited + "A",
        "signature padded": limited + "=",
        "signature of another": f"fc_{body}.{expired.partition('.')[2]}",
        "without its prefix": limited.removeprefix("fc_"),
        "prefix twice": f"fc_{limited}",
        "prefix alone": "fc_",
        "more scopes": f"fc_{_payload(s=['read', 'publish', 'control'], p=[], e=2**40)}.{signature}",
        "longer time": f"fc_{_payload(s=['read'], p=[], e=2**40)}.{signature}",
        "body padded": f"fc_{body}==.{signature}",
        "no base64": f"fc_!!!!.{signature}",
        "a JWT of no algorithm": f"{_payload(alg='none')}.{_payload(sub='admin')}.",
        "very long": "fc_" + "A" * 30_000,
        "latin": "pässwörtpässwörtpässwört",
        "null": "null",
        "undefined": "undefined",
        "a path": "../../state/token",
    }
    for name, token in tokens.items():
        yield name, {"Authorization": f"Bearer {token}"}
        if token.isascii() and " " not in token and "," not in token:
            yield (
                f"{name}, as subprotocol",
                {"Sec-WebSocket-Protocol": f"firstcause, firstcause.token.{token}"},
            )
    yield "another scheme", {"Authorization": f"Basic {base64.b64encode(f'x:{master}'.encode()).decode()}"}
    yield "no scheme", {"Authorization": master}
    yield "a cookie", {"Cookie": f"firstcause={master}; firstcause_0={master}; token={master}"}
    yield "another header", {"X-Api-Key": master, "X-Forwarded-For": "127.0.0.1"}


def _payload(**fields: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()


async def tokens(checks: Checks, quick: bool, seed: int) -> None:
    """No, wrong, truncated, tampered and expired tokens; scopes; projects; tickets."""
    async with serving(checks) as served:
        await _strangers(checks, served, 4 if quick else 1)
        await _foreigners(checks, served)
        await _scopes(checks, served)
        await _projects(checks, served)
        await _tickets(checks, served)


async def _strangers(checks: Checks, served: Served, every: int) -> None:
    """Each knocks at every so many of the routes, so that all are tried by some."""
    count = 0
    for name, headers in strangers(served.token):
        for method, path in ROUTES[count % every :: every]:
            body = EVENT if method != "GET" else None
            answer = await ask(served.port, method, path, body=body, headers=headers)
            good = answer.status == 401 and answer.code == "unauthorized"
            checks.expect(good, "let_in", (name, method, path, answer))
        await _shut_out(checks, served, name, UNAUTHORIZED, headers=headers)
        count += 1
    for path in ROUTES[:2]:
        link = "&" if "?" in path[1] else "?"
        answer = await ask(served.port, path[0], f"{path[1]}{link}token={served.token}")
        checks.expect(
            answer.status == 401 and served.token not in answer.body.decode(),
            "let_in",
            ("in the query", answer),
        )
    await _shut_out(checks, served, "in the query", UNAUTHORIZED, path=f"/v1/stream?token={served.token}")
    checks.figures["strangers"] = count


async def _shut_out(checks: Checks, served: Served, name: str, code: int, **how: Any) -> None:
    """The WebSocket is told why and closed, before anything else was said."""
    try:
        talk = await Talk.connect(served.port, **how)
    except Refused as refused:
        checks.expect(400 <= refused.status < 500, "let_in", (name, refused))
        return
    talk.link.send(LOST)
    ended = await talk.link.end(5)
    told = [talk.got.get_nowait() for _ in range(talk.got.qsize())]
    said = [one.op for one in told] == ["error"] and told[0].code and told[0].message and told[0].hint
    checks.expect(ended == code and said, "let_in", (name, ended, told))


async def _foreigners(checks: Checks, served: Served) -> None:
    """Pages of other origins, and names that were bound to this address by somebody else."""
    port = served.port
    origins = (
        "https://evil.example",
        "null",
        "",
        f"http://127.0.0.1:{port + 1}",
        "http://127.0.0.1",
        f"http://localhost:{port}.evil.example",
        f"http://evil.example#127.0.0.1:{port}",
        f"ftp://127.0.0.1:{port}",
        "file://",
        "http://[::1",
        "é",
    )
    hosts = (
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        f"127.0.0.1:{port + 1}",
        f"127.0.0.1:{port}@evil.example",
        f"evil.example@127.0.0.1:{port}",
        f"127.0.0.1:{port}/",
        f"127.0.0.1:{port},evil.example",
        f"localhost.:{port}x",
        "127.0.0.1:99999999",
        "127.0.0.1:²",
        f"0177.0.0.1:{port}",
        f"2130706433:{port}",
        f"169.254.169.254:{port}",
        "",
        "[::1",
    )
    for name, values, code in (("Origin", origins, "origin_refused"), ("Host", hosts, "host_refused")):
        for value in values:
            headers = {name: value}
            for method, path in (
                ("GET", "/healthz"),
                ("GET", "/client.js"),
                ("GET", "/v1/stats"),
                ("POST", "/v1/events"),
            ):
                answer = await ask(port, method, path, token=served.token, headers=headers)
                refused = (answer.status == 403 and answer.code == code) or answer.status == 400
                checks.expect(refused, "let_in", (name, value, path, answer))
            how = f"{name} {value}"
            await _shut_out(checks, served, how, FORBIDDEN, token=served.token, headers=headers)
    checks.figures["foreigners"] = len(origins) + len(hosts)


async def _scopes(checks: Checks, served: Served) -> None:
    ring = Keyring(served.token)
    wanted = {
        ("POST", "/v1/events"): ("publish", EVENT),
        ("PATCH", "/v1/config"): ("control", {"throttle_ms": 0}),
        ("POST", "/v1/config/optimize"): ("control", None),
        ("POST", "/v1/observe"): ("control", {"action": "attach", "cdp": "9"}),
        ("GET", "/v1/stream"): ("read", None),
        ("GET", "/v1/events?wait=0"): ("read", None),
        ("GET", "/v1/events/x"): ("read", None),
        ("GET", "/v1/channels/runs/events"): ("read", None),
        ("GET", "/v1/chains/x"): ("read", None),
        ("GET", "/v1/config"): ("read", None),
        ("GET", "/v1/stats"): ("read", None),
        ("GET", "/v1/observe"): ("read", None),
        ("GET", "/metrics"): ("read", None),
    }
    before = (await ask(served.port, "GET", "/v1/config", token=served.token)).body
    for scope in ("read", "publish", "control"):
        token = ring.issue([scope], [], 3600)
        for (method, path), (needed, body) in wanted.items():
            if needed != scope:
                answer = await ask(served.port, method, path, token=token, body=body)
                checks.expect(
                    (answer.status, answer.code) == (403, "scope_missing"),
                    "went_too_far",
                    (scope, path, answer),
                )
        for more in {"read", "publish", "control"} - {scope}:
            answer = await ask(
                served.port, "POST", "/v1/tickets", token=token, body={"scopes": [scope, more]}
            )
            checks.expect(answer.status == 403, "went_too_far", ("ticket", scope, more, answer))
        if scope != "read":
            await _shut_out(checks, served, scope, FORBIDDEN, token=token)
    talk = await Talk.connect(served.port, ring.issue(["read"], [], 3600))
    answer = await talk.ask({"op": "publish", "event": EVENT})
    checks.expect(answer.code == "scope_missing", "went_too_far", answer)
    checks.expect((await talk.ask({"op": "ping"})).op == "pong", "connection_lost")
    talk.link.drop()
    after = (await ask(served.port, "GET", "/v1/config", token=served.token)).body
    checks.expect(before == after, "went_too_far", (before, after))
    checks.expect(served.token.encode() not in after, "told_the_token")
    stats = await served.stats()
    checks.expect("runs" not in stats["projects"].get("default", {}), "went_too_far", stats["projects"])


async def _projects(checks: Checks, served: Served) -> None:
    """A token of one project with every scope, among the events of another."""
    secret = {**EVENT, "correlation_id": "their-chain", "kind": "their_kind"}
    published = await ask(
        served.port, "POST", f"/v1/events?project={THEIRS}", token=served.token, body=secret
    )
    checks.expect(published.status == 201, "not_published", published)
    token = Keyring(served.token).issue(["read", "publish", "control"], [OURS], 3600)
    mine = await ask(served.port, "POST", f"/v1/events?project={OURS}", token=token, body=EVENT)
    checks.expect(mine.status == 201, "not_published", mine)
    named = (
        THEIRS,
        "default",
        "",
        "Shop",
        "shop%20",
        f"{OURS},{THEIRS}",
        f"{OURS}/../{THEIRS}",
        f"{OURS}%00{THEIRS}",
    )
    asked: list[tuple[str, Answer]] = []
    for project in named:
        for method, path in (
            ("GET", "/v1/stream?cursor=start&channels=runs"),
            ("GET", "/v1/events?cursor=start&channels=runs&wait=0"),
            ("GET", "/v1/channels/runs/events?after=0"),
            ("GET", "/v1/chains/their-chain?"),
            ("POST", "/v1/events?"),
        ):
            full = f"{path}&project={project}"
            body = EVENT if method == "POST" else None
            answer = await ask(served.port, method, full, token=token, body=body, within_s=3)
            checks.expect(400 <= answer.status < 500, "went_too_far", (full, answer))
            asked.append((full, answer))
    for body in (
        {"action": "attach", "cdp": "9", "project": THEIRS},
        {"action": "attach", "cdp": "9"},
        {"action": "launch", "url": "http://127.0.0.1:9/", "project": THEIRS},
        {"action": "detach", "id": "b1"},
    ):
        answer = await ask(served.port, "POST", "/v1/observe", token=token, body=body)
        checks.expect(answer.status in {403, 404}, "went_too_far", (body, answer))
    others = (f"/v1/events/{published.json['event']}", "/v1/stats", "/v1/observe", "/v1/config")
    asked += [(path, await ask(served.port, "GET", path, token=token)) for path in others]
    for path, answer in asked:
        leaked = (
            b"a secret of theirs" in answer.body and answer.status < 300
        ) or b"their_kind" in answer.body
        checks.expect(not leaked, "told_of_another_project", (path, answer))
    stats = json.loads(asked[-3][1].body)
    checks.expect(set(stats["projects"]) == {OURS}, "told_of_another_project", stats["projects"])
    answer = await ask(served.port, "POST", "/v1/tickets", token=token, body={"projects": [THEIRS]})
    checks.expect(answer.status == 403, "went_too_far", answer)
    talk = await Talk.connect(served.port, token)
    everything = {"op": "subscribe", "channels": ["runs"], "cursor": "start", "throttle_ms": 0}
    for project in (THEIRS, None, "default"):
        for op in (everything, {"op": "publish", "event": EVENT}):
            answer = await talk.ask({**op, **({"project": project} if project else {})})
            checks.expect(answer.code == "project_refused", "went_too_far", (project, op, answer))
    theirs = await ask(served.port, "GET", f"/v1/events?channels=runs&project={THEIRS}", token=served.token)
    for cursor in (theirs.json["cursor"], theirs.json["cursor"].replace("r1", "r0")):
        talk.link.send({**everything, "project": OURS, "cursor": cursor, "id": 100})
        while (begun := await talk.next()).op != "subscribed":
            pass
        checks.expect(begun.reason == "epoch_changed", "went_too_far", begun)
        await talk.ask({"op": "unsubscribe", "sub": 100})
    told = [talk.got.get_nowait() for _ in range(talk.got.qsize())]
    seen = [one.id for frame in told for one in frame.events]
    checks.expect(set(seen) <= {mine.json["event"]}, "told_of_another_project", seen)
    talk.link.drop()


async def _tickets(checks: Checks, served: Served) -> None:
    """Good once, also when many use it at the same moment."""
    token = Keyring(served.token).issue(["read"], [OURS], 3600)
    ticket = (await ask(served.port, "POST", "/v1/tickets", token=token)).json["ticket"]
    path = f"/v1/stream?ticket={ticket}"
    answers = await asyncio.gather(*[Talk.connect(served.port, path=path) for _ in range(10)])
    in_by_it = 0
    for talk in answers:
        talk.link.send({"op": "ping", "id": 99})
        told = await talk.next()
        in_by_it += told.op == "pong"
        if told.op == "pong":
            answer = await talk.ask({"op": "publish", "event": EVENT, "project": OURS})
            checks.expect(answer.code == "scope_missing", "went_too_far", answer)
            answer = await talk.ask({"op": "subscribe", "project": THEIRS})
            checks.expect(answer.code == "project_refused", "went_too_far", answer)
        talk.link.drop()
    checks.expect(in_by_it == 1, "used_twice", in_by_it)
    for wrong in (ticket, ticket[:-1], "", "x", "%00", "%ff", "é".encode().hex(), "A" * 20_000):
        await _shut_out(checks, served, "ticket", UNAUTHORIZED, path=f"/v1/stream?ticket={wrong}")
        answer = await ask(served.port, "GET", f"/v1/stats?ticket={wrong}")
        checks.expect(answer.status == 401, "let_in", answer)
    # A ticket instead of a token makes no master of anybody.
    made = (await ask(served.port, "POST", "/v1/tickets", token=served.token)).json["ticket"]
    answer = await ask(served.port, "PATCH", f"/v1/config?ticket={made}", body={"throttle_ms": 1})
    checks.expect(answer.status == 403, "went_too_far", answer)
    answer = await ask(served.port, "GET", "/v1/stats", headers=bearer(made))
    checks.expect(answer.status == 401, "let_in", answer)
