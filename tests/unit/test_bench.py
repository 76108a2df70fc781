"""Every benchmark starts, and the one that needs no browser prints the line that is read by whoever compares runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = sorted(file.stem for file in (ROOT / "bench").glob("[a-z]*.py"))


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"bench/{name}.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_tells_its_options(name: str) -> None:
    ended = run(name, "--help")
    assert ended.returncode == 0, ended.stderr
    assert "--quick" in ended.stdout


def test_the_readme_tells_of_every_benchmark() -> None:
    readme = (ROOT / "bench" / "README.md").read_text("utf-8")
    assert [name for name in BENCHMARKS if f"`{name}.py`" not in readme] == []


def test_decode_ends_with_one_line_of_figures() -> None:
    ended = run("decode", "--quick")
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["bench"] == "decode"
    assert last["figures"]["signals"] > 0
    assert not [reason for reason in last["figures"]["skipped"] if reason != "unwanted"]
    assert last["ok"] is all(must["ok"] for must in last["must"].values())
    assert ended.returncode == (0 if last["ok"] else 1), ended.stderr
