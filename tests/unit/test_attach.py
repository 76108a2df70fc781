"""Addresses of browsers, asked over real sockets on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firstcause.observer.errors import BadUrl, BrowserUnreachable, UsageError
from firstcause.observer.sources import attach
from firstcause.observer.sources.attach import resolve_ws_url

CHROME = b'{"Browser":"Chrome/140","webSocketDebuggerUrl":"ws://elsewhere:1/devtools/browser/ab-12"}'
Serve = Callable[..., int]


def http(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answers every connection with the same bytes, and keeps what was asked; None never answers."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: bytes | None, asked: list[bytes] | None = None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop() -> None:
            held: list[socket.socket] = []
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    break
                held.append(client)
                if answer is None:
                    continue
                request = client.recv(65536)
                if asked is not None:
                    asked.append(request)
                client.sendall(answer)
                client.close()
            for client in held:
                client.close()

        thread = threading.Thread(target=loop)
        thread.start()
        threads.append(thread)
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        # Closing alone leaves a thread asleep in accept().
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    "form",
    [
        "{port}",
        "127.0.0.1:{port}",
        "http://127.0.0.1:{port}",
        "http://127.0.0.1:{port}/",
        "ws://127.0.0.1:{port}",
    ],
)
async def test_every_form_leads_to_the_browser(serve: Serve, form: str) -> None:
    port = serve(http(CHROME))
    assert await resolve_ws_url(form.format(port=port)) == f"ws://127.0.0.1:{port}/devtools/browser/ab-12"


async def test_a_number_is_a_port(serve: Serve) -> None:
    port = serve(http(CHROME))
    assert await resolve_ws_url(port) == f"ws://127.0.0.1:{port}/devtools/browser/ab-12"


async def test_a_name_is_asked_by_its_ip_because_chromium_refuses_other_hosts(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    port = serve(http(CHROME), asked)
    family = socket.AF_INET, socket.SOCK_STREAM, 6, ""
    # A name that means ::1 first, where nothing listens, as localhost often does.
    found = [(socket.AF_INET6, *family[1:], ("::1", port, 0, 0)), (*family, ("127.0.0.1", port))]
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: found if host == "chrome" else resolve(host, *rest, **more),
    )
    assert await resolve_ws_url(f"http://chrome:{port}") == f"ws://127.0.0.1:{port}/devtools/browser/ab-12"
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in asked[0]


async def test_no_proxy_is_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy_asked: list[bytes] = []
    proxy = serve(http(b"proxied", "502 Bad Gateway"), proxy_asked)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
    port = serve(http(CHROME))
    assert (await resolve_ws_url(port)).endswith("/ab-12")
    assert proxy_asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:9222/devtools/browser/ab-12",
        "wss://browsers.example/chromium?token=t",
    ],
)
async def test_a_browsers_own_url_is_kept(url: str) -> None:
    assert await resolve_ws_url(url) == url


@pytest.mark.parametrize("kind", ["page", "worker", "iframe"])
async def test_the_url_of_one_target_is_refused_with_the_way_out(kind: str) -> None:
    with pytest.raises(BadUrl, match=kind) as caught:
        await resolve_ws_url(f"ws://127.0.0.1:9222/devtools/{kind}/AB")
    assert "127.0.0.1:9222" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "",
        "htp://x",
        "localhost",
        "ftp://localhost:21",
        "127.0.0.1:99999",
        "0",
        "70000",
        "http://",
        "a:b",
        "[::1",
        -1,
    ],
)
async def test_what_is_no_address_is_refused(address: str | int) -> None:
    with pytest.raises(BadUrl) as caught:
        await resolve_ws_url(address)
    assert "9222" in caught.value.hint


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(BrowserUnreachable, match="nothing listens there") as caught:
        await resolve_ws_url(port)
    assert f"--remote-debugging-port={port}" in caught.value.hint


async def test_silence_ends(serve: Serve) -> None:
    port = serve(None)
    with pytest.raises(BrowserUnreachable, match="did not answer"):
        await resolve_ws_url(port, timeout_s=0.05)


@pytest.mark.parametrize(
    "answer",
    [
        http(b'[{"id":1}]'),
        http(b'{"Browser":"node.js/v24","Protocol-Version":"1.1"}'),
        http(b"Not found", "404 Not Found"),
        http(b'{"webSocketDebuggerUrl":7}'),
        http(b"\xff\xfe"),
        b"220 smtp ready\r\n",
        b"",
    ],
)
async def test_others_are_told_apart(serve: Serve, answer: bytes) -> None:
    with pytest.raises(BrowserUnreachable):
        await resolve_ws_url(serve(answer))


async def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(BrowserUnreachable, match="resolved"):
        await resolve_ws_url("nowhere.invalid:9222")


@pytest.mark.parametrize("name", ["plain", "with blank", "a --b", "a b'c --d=1 e"])
@pytest.mark.parametrize("tail", ["", " --headless", " about:blank", " --type=x --y=1 about:blank"])
def test_the_profile_is_found_in_a_command_line_without_quotes(tmp_path: Path, name: str, tail: str) -> None:
    profile = tmp_path / name
    profile.mkdir()
    (profile / "DevToolsActivePort").write_text("4711\n/devtools/browser/x")
    line = f"/opt/chrome --remote-debugging-port=0 --user-data-dir={profile}{tail}"
    assert attach.ws_url_of_command_line(line) == "ws://127.0.0.1:4711/devtools/browser/x"


def test_a_profile_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "DevToolsActivePort").write_text("4711\n/devtools/browser/x")
    line = f'"C:\\chrome.exe" --remote-debugging-port=0 --user-data-dir="{tmp_path}" --x'
    assert attach.ws_url_of_command_line(line) == "ws://127.0.0.1:4711/devtools/browser/x"


def test_a_fixed_port_is_asked(serve: Serve) -> None:
    port = serve(http(CHROME))
    url = attach.ws_url_of_command_line(
        f"chrome --remote-debugging-port=0 --remote-debugging-port={port} --user-data-dir=x"
    )
    assert url == f"ws://127.0.0.1:{port}/devtools/browser/ab-12"


def test_a_browser_without_a_port_says_how_to_give_it_one() -> None:
    with pytest.raises(UsageError) as caught:
        attach.ws_url_of_command_line("chrome --remote-debugging-pipe --user-data-dir=x")
    assert "--remote-debugging-port=0" in caught.value.hint


def test_a_profile_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "PORT_FILE_TIMEOUT_S", 0.0)
    with pytest.raises(BrowserUnreachable, match="can't be learned"):
        attach.ws_url_of_command_line(f"chrome --remote-debugging-port=0 --user-data-dir={tmp_path}/gone")


def test_the_file_of_an_earlier_run_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "PORT_FILE_TIMEOUT_S", 0.0)
    left = tmp_path / "DevToolsActivePort"
    left.write_text("4711\n/devtools/browser/old")
    with pytest.raises(BrowserUnreachable):
        attach.read_port_file([left], newer_than_ns=left.stat().st_mtime_ns)
