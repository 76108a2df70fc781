"""What goes on beside a command: whatever fails of it is told, and keeps neither the command nor its browsers waiting."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from firstcause.api.runner import hooked, watching
from firstcause.api.runner.background import Background
from firstcause.api.runner.hooked import VARIABLE, Exchange
from firstcause.api.runner.log import Log
from firstcause.api.runner.observed import Browser, Observed
from firstcause.api.runner.watching import Watching
from firstcause.api.settings import Settings
from firstcause.correlator.redact import BUILT_IN
from firstcause.observer.options import CaptureOptions


def watching_with(tmp_path: Path) -> Watching:
    return Watching(Settings(state_dir=tmp_path), CaptureOptions())


def announce(exchange: Exchange, pid: int, profile: Path, name: str = "1") -> None:
    (exchange.folder / f"{name}.browser").write_text(f'{{"pid": {pid}, "profile": "{profile}"}}')


def test_an_observation_that_fails_is_a_problem_and_over(tmp_path: Path) -> None:
    async def failing(_: asyncio.Event) -> None:
        raise ValueError("it broke")

    ended: list[bool] = []
    background = Background(failing, lambda: ended.append(True))
    background.start()
    background.stop()
    assert (background.problem, ended) == ("it broke", [True])


def test_an_observation_that_does_not_end_is_left_behind() -> None:
    async def endless(_: asyncio.Event) -> None:
        while not over.is_set():
            await asyncio.sleep(0.001)

    over = asyncio.Event()
    background = Background(endless, lambda: None)
    background.start()
    background.stop(timeout_s=0.05)
    assert background.problem == "the observation does not end"
    over.set()


def test_without_a_folder_the_environment_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(hooked.tempfile, "mkdtemp", full)
    without = watching_with(tmp_path)
    assert without.environment({"A": "b"}) == {"A": "b"}
    without.start()
    without.stop()
    without.close()
    assert without.problem == "no space left"


def test_nobody_waits_for_an_observer_that_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("it broke")

    monkeypatch.setattr(watching, "Published", failing)
    broken = watching_with(tmp_path)
    folder = Path(broken.environment({})[VARIABLE])
    broken.start()
    broken.stop()
    assert broken.problem == "it broke"
    assert not (folder / hooked.OBSERVER).exists()
    broken.close()
    assert not folder.exists()


async def test_whoever_starts_a_browser_that_ends_at_once_is_let_go(tmp_path: Path) -> None:
    exchange = Exchange()
    observed = Observed(exchange, Log(), CaptureOptions(), project="p", redactor=BUILT_IN, thresholds={})
    gone = subprocess.Popen(["true"])
    gone.wait()
    announce(exchange, gone.pid, tmp_path)
    observed.look()
    await observed.settle()
    assert (exchange.folder / "1.ready").exists()
    assert (observed.count, observed.problem) == (0, "")
    exchange.close()


async def test_an_old_port_in_a_profile_is_tried_until_the_browser_is_gone(tmp_path: Path) -> None:
    """Nothing listens there: the file is of an earlier browser."""
    (tmp_path / "DevToolsActivePort").write_text("1\n/devtools/browser/old\n")
    exchange = Exchange()
    observed = Observed(exchange, Log(), CaptureOptions(), project="p", redactor=BUILT_IN, thresholds={})
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as browser:
        announce(exchange, browser.pid, tmp_path)
        observed.look()
        settling = asyncio.create_task(observed.settle())
        await asyncio.sleep(0)
        assert not (exchange.folder / "1.ready").exists()
        browser.kill()
    await settling
    assert (exchange.folder / "1.ready").exists()
    assert observed.count == 0
    exchange.close()


async def test_a_profile_that_is_used_again_still_names_the_browser_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[tuple[int, str]] = []
    news = asyncio.Event()

    async def follow(self: Observed, browser: Browser, url: str) -> None:
        self._by_url[url] = browser  # pyright: ignore[reportPrivateUsage]
        browser.attached.set()
        followed.append((browser.pid, url))
        news.set()

    monkeypatch.setattr(Observed, "_follow", follow)
    exchange = Exchange()
    observed = Observed(exchange, Log(), CaptureOptions(), project="p", redactor=BUILT_IN, thresholds={})
    port_file = tmp_path / "DevToolsActivePort"
    port_file.write_text("1\n/devtools/browser/one\n")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as first:
        announce(exchange, first.pid, tmp_path, "1")
        observed.look()
        await news.wait()
        first.kill()
    news.clear()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as second:
        announce(exchange, second.pid, tmp_path, "2")
        observed.look()
        for _ in range(3):
            await asyncio.sleep(0)
        port_file.write_text("2\n/devtools/browser/two\n")
        await news.wait()
        second.kill()
    await observed.settle()
    assert followed == [
        (first.pid, "ws://127.0.0.1:1/devtools/browser/one"),
        (second.pid, "ws://127.0.0.1:2/devtools/browser/two"),
    ]
    exchange.close()
