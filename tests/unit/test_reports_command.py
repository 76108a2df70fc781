"""`report`: where each form goes, and what is said to a user's mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from firstcause.api import logs
from firstcause.api.commands.report import JOB_SUMMARY, report
from firstcause.api.reports.folder import write_report
from firstcause.correlator.event import Event
from firstcause.observer.errors import BadRecording, OutputFailed

from .reported import RUN, STORY
from .signals import write_signals
from .test_replay_command import STORY as SIGNALS

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JOB_SUMMARY, raising=False)


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets the log of a whole process up, and this one has other tests."""
    monkeypatch.setattr(logs, "configure", lambda _: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "events.ndjson", STORY)


def written(path: Path, events: Iterable[Event]) -> Path:
    path.write_text("".join(f"{one.line()}\n" for one in events))
    return path


def test_a_page_is_written_beside_the_recording(file: Path, capfd: Said) -> None:
    report(file)
    page = file.with_name("events.html")
    assert page.read_text().startswith("<!doctype html>")
    assert capfd.readouterr() == ("", f"firstcause: {page} is written.\n")


@pytest.mark.parametrize(
    ("form", "begins"), [("html", "<!doctype"), ("junit", "<?xml"), ("gitlab", "[\n"), ("markdown", "# ")]
)
def test_each_form_goes_to_stdout_or_to_a_file(form: Any, begins: str, file: Path, capfd: Said) -> None:
    report(file, form, "-")
    text, said = capfd.readouterr()
    assert text.startswith(begins)
    assert said == ""
    out = file.parent / "new" / "report"
    report(file, form, str(out))
    assert out.read_text() == text
    assert capfd.readouterr().out == ""


def test_what_was_made_is_told_to_programs(file: Path, capfd: Said) -> None:
    report(file, "junit", as_json=True)
    text, said = capfd.readouterr()
    assert text.startswith("<?xml")
    assert json.loads(said) == {"as": "junit", "out": "-", "failures": 1}


def test_github_has_annotations_on_stdout_and_adds_to_the_summary(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    summary = file.with_name("summary")
    summary.write_text("# before\n")
    monkeypatch.setenv(JOB_SUMMARY, str(summary))
    report(file, "github", title="shop", root=file.parent)
    assert capfd.readouterr().out.startswith("::error title=http_error%3A POST /api/save")
    assert summary.read_text().startswith("# before\n# shop\n\n**1 different failure.**")


def test_outside_of_a_job_there_is_no_summary(file: Path, capfd: Said) -> None:
    report(file, "github")
    assert capfd.readouterr().out.count("\n") == 1
    assert [path.name for path in file.parent.iterdir()] == ["events.ndjson"]


def test_signals_become_the_same_reports(tmp_path: Path, capfd: Said) -> None:
    recording = tmp_path / "signals.ndjson.gz"
    write_signals(recording, SIGNALS)
    report(recording, "gitlab", "-")
    assert json.loads(capfd.readouterr().out)
    report(recording)
    assert (tmp_path / "signals.html").exists()


def test_the_command_line_makes_one_and_says_what_is_wrong_in_a_sentence(file: Path) -> None:
    def ran(*arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "firstcause", "report", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout, ended.stderr

    code, out, err = ran(str(file), "--as", "junit")
    assert (code, err) == (0, "")
    assert out.count("<failure") == 1
    code, out, err = ran(str(file.with_name("missing.ndjson")), "--as", "junit")
    assert (code, out) == (2, "")
    assert "missing.ndjson" in err
    assert "Traceback" not in err


def test_a_recording_that_is_none_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "events.ndjson"
    broken.write_text("<html>\n")
    with pytest.raises(BadRecording, match="line 1 is not an event"):
        report(broken)
    with pytest.raises(BadRecording):
        report(tmp_path / "missing.ndjson")


def test_a_place_that_cannot_be_written_is_said(file: Path) -> None:
    for out in (str(file.parent), str(file / "below"), "\0"):
        with pytest.raises(OutputFailed, match="can't be written"):
            report(file, "markdown", out)


def test_what_a_recording_lacks_is_said_in_it_and_on_stderr(file: Path, capfd: Said) -> None:
    file.write_text(file.read_text() + '{"id":"half')
    report(file, "markdown", "-")
    text, said = capfd.readouterr()
    assert "ends in the middle of a line" in text
    assert "ends in the middle of a line" in said


def test_a_folder_holds_the_events_and_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "nightly"
    write_report(folder, RUN, "nightly")
    assert folder.joinpath("events.ndjson").read_text() == "".join(f"{one.line()}\n" for one in RUN)
    assert "<title>nightly</title>" in folder.joinpath("report.html").read_text()
    write_report(folder, [], "again")
    assert folder.joinpath("events.ndjson").read_text() == ""


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputFailed, match="can't be written"):
        write_report(tmp_path / "file", RUN, "x")
