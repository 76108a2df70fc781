"""Who may do what: tokens, tickets, the token's file, where the server may be reached from, and limits."""

from __future__ import annotations

import base64
import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstcause.api.auth import ANYONE, MAX_TICKETS, SCOPES, TICKET_VALID_S, Grant, Keyring
from firstcause.api.errors import (
    BindRefused,
    HostRefused,
    OriginRefused,
    ProjectRefused,
    ScopeMissing,
    ServerStartFailed,
    TooMany,
    Unauthorized,
)
from firstcause.api.limits import Connections, Rate
from firstcause.api.origin import check_bind, check_host, check_origin
from firstcause.api.secret import load_secret
from firstcause.api.settings import Settings
from firstcause.observer.errors import UsageError

SECRET = "correct-horse-battery-staple"
OTHER = "another-horse-another-staple"
NOBODY = 65534


class Clock:
    def __init__(self, at_s: float = 1_000_000.0) -> None:
        self.at_s = at_s

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyring(clock: Clock) -> Keyring:
    return Keyring(SECRET, now_s=clock)


def test_the_master_token_may_do_everything_everywhere(keyring: Keyring) -> None:
    grant = keyring.grant_of(SECRET)
    for scope in SCOPES:
        grant.require(scope)
    grant.require_project("any")


def test_a_limited_token_may_do_what_it_was_made_for(keyring: Keyring) -> None:
    grant = keyring.grant_of(keyring.issue(["read", "publish"], ["shop", "blog"], 60))
    assert grant.scopes == {"read", "publish"}
    assert grant.projects == ("shop", "blog")
    grant.require("read")
    grant.require_project("blog")
    with pytest.raises(ScopeMissing) as scope:
        grant.require("control")
    assert str(scope.value).startswith("This token is good for publish and read, and this needs control.")
    assert "firstcause token --scope control" in scope.value.hint
    with pytest.raises(ProjectRefused) as project:
        grant.require_project("bank")
    assert "shop and blog" in str(project.value)
    assert "bank" in str(project.value)


def test_without_projects_it_is_for_all(keyring: Keyring) -> None:
    keyring.grant_of(keyring.issue(["read"], [], 60)).require_project("any")


def test_anyone_while_auth_is_off() -> None:
    for scope in SCOPES:
        ANYONE.require(scope)
    ANYONE.require_project("any")


def test_a_token_ends(keyring: Keyring, clock: Clock) -> None:
    token = keyring.issue(["read"], [], 60)
    clock.at_s += 59
    keyring.grant_of(token)
    clock.at_s += 1
    with pytest.raises(Unauthorized, match=r"has expired.*firstcause token"):
        keyring.grant_of(token)


def test_a_token_is_good_at_every_server_of_the_same_master_token(keyring: Keyring, clock: Clock) -> None:
    token = keyring.issue(["read"], [], 60)
    assert Keyring(SECRET, now_s=clock).grant_of(token).scopes == {"read"}
    with pytest.raises(Unauthorized, match="not one of this server"):
        Keyring(OTHER, now_s=clock).grant_of(token)


@pytest.mark.parametrize(
    "token",
    ["", "x", OTHER, SECRET[:-1], f"{SECRET} ", "fc_", "fc_.", "fc_e30.", "fc_\ud800.é", "é", "\ud800"],
)
def test_what_is_no_token(keyring: Keyring, token: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        keyring.grant_of(token)
    assert "firstcause token" in caught.value.hint
    assert token not in str(caught.value) or len(token) < 2


@given(st.data())
def test_a_tampered_token_never_passes(data: st.DataObject) -> None:
    keyring = Keyring(SECRET)
    token = keyring.issue(["read"], ["shop"], 3600)
    at = data.draw(st.integers(0, len(token)), "at")
    cut = data.draw(st.integers(0, 3), "cut")
    put = data.draw(st.text(max_size=3) | st.text("ABCabc_-.=", max_size=3), "put")
    tampered = token[:at] + put + token[at + cut :]
    if tampered == token:
        keyring.grant_of(tampered)
    else:
        with pytest.raises(Unauthorized):
            keyring.grant_of(tampered)


@given(st.text())
def test_no_text_is_a_token_by_chance(text: str) -> None:
    for shown in (text, f"fc_{text}"):
        with pytest.raises(Unauthorized):
            Keyring(SECRET).grant_of(shown)


def test_a_payload_can_not_be_given_another_signature(keyring: Keyring) -> None:
    payload = json.dumps({"s": list(SCOPES), "p": [], "e": 9e9}).encode()
    forged = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    signature = keyring.issue(["read"], [], 60).partition(".")[2]
    with pytest.raises(Unauthorized):
        keyring.grant_of(f"fc_{forged}.{signature}")


@pytest.mark.parametrize(
    ("scopes", "projects", "valid_s"),
    [
        ([], [], 60),
        (["admin"], [], 60),
        (["read"], ["../x"], 60),
        (["read"], ["x\n"], 60),
        (["read"], [f"p{n:060}" for n in range(200)], 60),
        (["read"], [], 0),
        (["read"], [], -1),
        (["read"], [], float("nan")),
        (["read"], [], 1e12),
    ],
)
def test_what_no_token_is_made_for(
    keyring: Keyring, scopes: list[str], projects: list[str], valid_s: float
) -> None:
    with pytest.raises(UsageError) as caught:
        keyring.issue(scopes, projects, valid_s)
    assert caught.value.hint


def test_a_token_is_whole_with_its_prefix_alone(keyring: Keyring) -> None:
    token = keyring.issue(["read"], [], 60)
    for shown in (token.removeprefix("fc_"), f"fc_{token}", token.upper()):
        with pytest.raises(Unauthorized):
            keyring.grant_of(shown)


def test_asking_twice_for_the_same_is_asking_once(keyring: Keyring) -> None:
    twice = keyring.issue(["read", "publish", "read"], ["shop", "shop"], 60)
    assert twice == keyring.issue(["publish", "read"], ["shop"], 60)


def test_an_empty_secret_lets_nobody_in() -> None:
    with pytest.raises(ValueError, match="everybody"):
        Keyring("")


def test_keys_tell_tokens_apart_and_nothing_else(keyring: Keyring) -> None:
    one, two = keyring.issue(["read"], [], 60), keyring.issue(["read"], [], 61)
    assert keyring.grant_of(one).key == keyring.grant_of(one).key
    assert len({keyring.grant_of(token).key for token in (SECRET, one, two)}) == 3
    assert keyring.grant_of(SECRET).key != Keyring(SECRET).grant_of(SECRET).key


def test_a_ticket_is_good_once(keyring: Keyring, clock: Clock) -> None:
    grant = Grant(frozenset({"read"}), ("shop",), "k")
    ticket = keyring.ticket(grant)
    assert ticket.expires_at == clock.at_s + TICKET_VALID_S
    assert keyring.redeem(ticket.text) is grant
    with pytest.raises(Unauthorized, match="used, expired or unknown"):
        keyring.redeem(ticket.text)


def test_a_ticket_is_good_for_half_a_minute(keyring: Keyring, clock: Clock) -> None:
    early, late = keyring.ticket(ANYONE), keyring.ticket(ANYONE)
    clock.at_s += 29.9
    keyring.redeem(early.text)
    clock.at_s += 0.1
    with pytest.raises(Unauthorized):
        keyring.redeem(late.text)


@pytest.mark.parametrize("text", ["", "x", SECRET, "\ud800"])
def test_what_is_no_ticket(keyring: Keyring, text: str) -> None:
    keyring.ticket(ANYONE)
    with pytest.raises(Unauthorized):
        keyring.redeem(text)


def test_the_oldest_of_too_many_tickets_is_dropped(keyring: Keyring) -> None:
    tickets = [keyring.ticket(ANYONE) for _ in range(MAX_TICKETS + 1)]
    with pytest.raises(Unauthorized):
        keyring.redeem(tickets[0].text)
    for ticket in tickets[1:]:
        keyring.redeem(ticket.text)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_who_asks_makes_the_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = tmp_path / "deep/state"
    secret = load_secret(state)
    assert len(secret) >= 32
    assert load_secret(state) == secret
    assert (mode_of(state), mode_of(state / "token")) == (0o700, 0o600)
    assert [path.name for path in state.iterdir()] == ["token"]
    assert load_secret(tmp_path / "other") != secret
    assert caplog.text == ""


def test_all_who_ask_at_once_get_the_same_token(tmp_path: Path) -> None:
    count = 8
    together = threading.Barrier(count)
    found: list[str] = []

    def ask() -> None:
        together.wait()
        found.append(load_secret(tmp_path / "state"))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == count
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["token"]


def test_who_is_second_reads_what_the_first_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see no file, then both make one."""
    (tmp_path / "token").write_text(f"{SECRET}\n")
    (tmp_path / "token").chmod(0o600)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert load_secret(tmp_path) == SECRET
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_a_token_that_others_can_read_is_closed_to_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert load_secret(tmp_path) == SECRET
    assert mode_of(file) == 0o600
    assert str(file) in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("data", [b"", b"short\n", b"\xff" * 40, b"two lines of it\nand another one"])
def test_a_file_that_holds_no_token(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "token").write_bytes(data)
    with pytest.raises(ServerStartFailed, match=r"does not hold a token.*Remove it"):
        load_secret(tmp_path)


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """root may write everywhere, so it becomes somebody else."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    yield folder
    os.seteuid(user)


def test_a_state_folder_that_can_not_be_used(unwritable: Path, tmp_path: Path) -> None:
    for folder, reason in (
        (unwritable / "state", "permission denied"),
        (Path(__file__), "exists"),
        (tmp_path / "\0", "null byte"),
    ):
        with pytest.raises(ServerStartFailed) as caught:
            load_secret(folder)
        assert reason in caught.value.message
        assert "FIRSTCAUSE_STATE_DIR" in caught.value.hint


WITH_TOKEN = Settings.model_validate({"token": SECRET})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]
)
@pytest.mark.parametrize("auth", ["token", "off"])
def test_this_machine_may_always_be_listened_on(host: str, auth: str) -> None:
    check_bind(host, Settings.model_validate({"auth": auth}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "example.test", "127.0.0.1.evil.test"])
def test_beyond_it_only_with_a_token(host: str) -> None:
    check_bind(host, WITH_TOKEN)
    with pytest.raises(BindRefused) as caught:
        check_bind(host, Settings())
    assert "no token is set" in caught.value.message
    assert "FIRSTCAUSE_TOKEN" in caught.value.hint
    with pytest.raises(BindRefused, match="auth is off"):
        check_bind(host, WITH_TOKEN.model_copy(update={"auth": "off"}))


@pytest.mark.parametrize(
    ("header", "bound"),
    [
        ("127.0.0.1:4400", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("LocalHost:4400", "127.0.0.1"),
        ("[::1]:4400", "::1"),
        ("[0:0:0:0:0:0:0:1]:4400", "127.0.0.1"),
        ("192.168.1.5:4400", "192.168.1.5"),
        ("nas.lan:4400", "NAS.lan"),
        ("[fe80::1]:4400", "[FE80::1]"),
        ("192.168.1.5:4400", "0.0.0.0"),
        ("192.168.1.5:8080", "0.0.0.0"),
        ("192.168.1.5:8080", ""),
        ("localhost:8080", "0.0.0.0"),
        ("[2001:db8::7]", "::"),
        ("dev.example", "127.0.0.1"),
        ("DEV.example:9999", "127.0.0.1"),
        ("tunnel.example:8443", "127.0.0.1"),
    ],
)
def test_hosts_that_are_answered_for(header: str, bound: str) -> None:
    check_host(header, bound, 4400, ("dev.example", "tunnel.example:8443"))


@pytest.mark.parametrize(
    ("header", "bound"),
    [
        ("", "127.0.0.1"),
        ("evil.test", "127.0.0.1"),
        ("evil.test:4400", "127.0.0.1"),
        ("evil.test:4400", "0.0.0.0"),
        ("evil.test:4400", ""),
        ("127.0.0.1.evil.test:4400", "127.0.0.1"),
        ("127.0.0.1:4401", "127.0.0.1"),
        ("192.168.1.5:4400", "127.0.0.1"),
        ("2130706433:4400", "0.0.0.0"),
        ("0x7f.1:4400", "0.0.0.0"),
        ("tunnel.example", "127.0.0.1"),
        ("tunnel.example:8444", "127.0.0.1"),
        ("sub.dev.example", "127.0.0.1"),
        ("dev.example.", "127.0.0.1"),
        ("localhost:4400\n", "127.0.0.1"),
        ("localhost@evil.test", "127.0.0.1"),
        ("localhost:4400, evil.test", "127.0.0.1"),
        ("[::1", "127.0.0.1"),
        ("localhost:\uff14\uff14\uff10\uff10", "127.0.0.1"),
    ],
)
def test_hosts_that_are_not(header: str, bound: str) -> None:
    with pytest.raises(HostRefused, match="allowed_hosts"):
        check_host(header, bound, 4400, ("dev.example", "tunnel.example:8443"))


@given(
    header=st.text() | st.from_regex(r"[a-z0-9.\[\]:-]{0,40}", fullmatch=True),
    bound=st.sampled_from(["127.0.0.1", "::1", "0.0.0.0", "::", "", "nas.lan"]),
)
def test_a_name_that_could_be_rebound_is_never_answered_for(header: str, bound: str) -> None:
    try:
        check_host(header, bound, 4400)
    except HostRefused:
        return
    host = header.lower().removesuffix(":4400")
    letters = any(character in "ghijklmnopqrstuvwxyz" for character in host)
    assert host in {"localhost", "nas.lan"} or host.startswith("localhost:") or not letters


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "http://127.0.0.1:4400",
        "https://127.0.0.1:4400",
        "https://app.example",
        "HTTPS://App.Example",
        "chrome-extension://abcdefghijklmnop",
    ],
)
def test_origins_that_may_connect(origin: str | None) -> None:
    check_origin(origin, "127.0.0.1:4400", ("https://app.example", "chrome-extension://abcdefghijklmnop"))


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "NULL",
        "http://127.0.0.1",
        "http://127.0.0.1:4401",
        "http://localhost:4400",
        "ftp://127.0.0.1:4400",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.test",
        "chrome-extension://evil",
    ],
)
def test_origins_that_may_not(origin: str) -> None:
    with pytest.raises(OriginRefused, match="allowed_origins"):
        check_origin(origin, "127.0.0.1:4400", ("https://app.example", "null"))


def test_connections_are_counted_for_each_token() -> None:
    connections = Connections(2)
    with ExitStack() as stack:
        stack.enter_context(connections.take("a"))
        inner = stack.enter_context(ExitStack())
        inner.enter_context(connections.take("a"))
        with pytest.raises(TooMany, match="2 is the limit"), connections.take("a"):
            pass
        with connections.take("b"):
            pass
        inner.close()
        with connections.take("a"):
            pass


def test_a_connection_that_fails_is_given_back() -> None:
    connections = Connections(1)
    with pytest.raises(RuntimeError), connections.take("a"):
        raise RuntimeError
    with connections.take("a"):
        pass


def test_the_limit_of_connections_may_change() -> None:
    connections = Connections(1)
    with connections.take("a"):
        connections.limit = 2
        with connections.take("a"):
            connections.limit = 1
            with pytest.raises(TooMany), connections.take("a"):
                pass


def test_a_rate_lets_a_burst_go_and_then_so_much_a_second(clock: Clock) -> None:
    rate = Rate(10, 5, now_s=clock)
    for _ in range(5):
        rate.take("a")
    with pytest.raises(TooMany, match=r"10 a second.*0\.10 s"):
        rate.take("a")
    rate.take("b")
    clock.at_s += 0.1
    rate.take("a")
    with pytest.raises(TooMany):
        rate.take("a")
    clock.at_s += 1000
    rate.take("a", 5)
    with pytest.raises(TooMany):
        rate.take("a")


def test_more_than_a_burst_goes_when_nothing_else_went_and_is_owed(clock: Clock) -> None:
    rate = Rate(10, 5, now_s=clock)
    rate.take("a", 25)
    clock.at_s += 2
    with pytest.raises(TooMany):
        rate.take("a")
    clock.at_s += 0.1
    rate.take("a")


def test_a_rate_forgets_the_key_that_was_idle_longest(clock: Clock) -> None:
    rate = Rate(1, 1, now_s=clock, max_keys=2)
    rate.take("a")
    rate.take("b")
    with pytest.raises(TooMany):
        rate.take("a")
    rate.take("c")
    with pytest.raises(TooMany):
        rate.take("a")
    rate.take("b")


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_a_rate_is_never_exceeded(pauses_s: list[float]) -> None:
    clock = Clock(0)
    rate = Rate(3, 4, now_s=clock)
    taken = 0
    for pause_s in pauses_s:
        clock.at_s += pause_s
        try:
            rate.take("a")
        except TooMany:
            continue
        taken += 1
    assert taken <= 4 + 3 * clock.at_s + 0.001
