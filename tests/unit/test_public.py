"""The public face: what `import firstcause` offers, and what the README shows of it."""

from __future__ import annotations

import re
from pathlib import Path

import firstcause
from firstcause import Event

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")


def test_every_public_name_is_there_and_in_order() -> None:
    assert all(hasattr(firstcause, name) for name in firstcause.__all__)
    assert firstcause.__all__ == sorted(firstcause.__all__)


def test_the_readme_imports_only_public_names() -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    imported = re.findall(r"from firstcause import (.+)", "\n".join(snippets))

    assert snippets
    assert {name.strip() for line in imported for name in line.split(",")} <= set(firstcause.__all__)
    for snippet in snippets:
        compile(snippet, "README.md", "exec")


def test_the_readmes_event_is_an_event() -> None:
    shown = re.search(r"```json\n(.*?)```", README, re.DOTALL)

    assert shown is not None
    assert Event.model_validate_json(shown[1]).kind == "http_error"
