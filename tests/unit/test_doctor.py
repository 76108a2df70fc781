"""What the doctor says when each thing is wrong."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from firstcause.api import doctor
from firstcause.api.doctor import Finding, collect


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FIRSTCAUSE_BROWSER", str(tmp_path / "gone"))


def named(name: str, *, port: int | None = None) -> Finding:
    return next(finding for finding in collect(port) if finding.name == name)


@pytest.mark.usefixtures("no_browser")
def test_a_missing_browser_is_told_with_its_remedy_and_not_started() -> None:
    findings = collect(None)
    browser = next(finding for finding in findings if finding.name == "browser")
    assert not browser.ok
    assert "FIRSTCAUSE_BROWSER" in browser.detail
    assert browser.fix
    assert "browser starts" not in [finding.name for finding in findings]


def test_a_browser_that_tells_a_version_but_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Chromium 140.0.7339.16 || { echo no GPU >&2; exit 1; }\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("FIRSTCAUSE_BROWSER", str(broken))
    found, starts = named("browser"), named("browser starts")
    assert found.ok
    assert "140.0.7339.16" in found.detail
    assert not starts.ok
    assert "no GPU" in starts.detail
    # Whoever reads this has just run the doctor.
    assert "doctor" not in starts.fix


@pytest.mark.usefixtures("no_browser")
def test_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        taken = named("port", port=port)
        assert not taken.ok
        assert str(port) in taken.detail
        assert "--port" in taken.fix
    assert named("port", port=port).ok


@pytest.mark.usefixtures("no_browser")
def test_no_port_was_chosen() -> None:
    assert named("port").ok


@pytest.mark.usefixtures("no_browser")
def test_a_number_that_is_no_port() -> None:
    assert not named("port", port=99999).ok


@pytest.mark.usefixtures("no_browser")
def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    missing = named("no-such-package")
    assert not missing.ok
    assert "pip install" in missing.fix


@pytest.mark.usefixtures("no_browser")
def test_little_shared_memory_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SHARED_MEMORY", Path("/"))
    monkeypatch.setattr(doctor, "SHARED_MEMORY_MIN_MB", 10**12)
    note = named("shared memory")
    assert note.ok
    assert "--disable-dev-shm-usage" in note.fix


@pytest.mark.usefixtures("no_browser")
def test_root_is_told_what_it_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "running_as_root", lambda: True)
    assert "without its sandbox" in named("user").detail
