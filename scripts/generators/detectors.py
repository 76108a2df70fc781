"""docs/detectors.md: every detector with its trigger, its options and where its numbers come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from firstcause.correlator.detectors import DETECTORS
from firstcause.correlator.detectors.detector import Detector

HEAD = """# Detectors

<!-- Made by `make docs` from correlator/detectors/: edit that. -->

What is told that no single message of the browser says. `firstcause detectors` shows the thresholds as they are in effect; change
one by a table in `firstcause.toml`, by `--detector ID.OPTION=VALUE`, or while a server runs by `PATCH /v1/config`:

    [detectors.slow_response]
    after_ms = 500

    [detectors.dead_click]
    enabled = false

A detector that fails is told as `detector_failed` and left out; the others go on. What a detector counts is named as its cause, and
belongs to the same chain. An episode that goes on is told again when its count is ten times as large, with the first event's id in
`context.repeats`.

| detector | channel | severity | finds |
| --- | --- | --- | --- |
"""


def detectors() -> str:
    rows = "".join(
        f"| [`{kind.id}`](#{kind.id}) | {kind.channel} | {kind.severity} | {kind.about} |\n"
        for kind in DETECTORS
    )
    return HEAD + rows + "".join(section(kind) for kind in DETECTORS)


def section(kind: type[Detector[Any]]) -> str:
    lines = "".join(option_lines(kind))
    options = f"\n| option | default | meaning |\n| --- | --- | --- |\n{lines}"
    return f"\n## {kind.id}\n\n{kind.trigger}\n{options}\nNumbers: {kind.source}\n"


def option_lines(kind: type[Detector[Any]]) -> Iterator[str]:
    for name, field in kind.options_type.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else f"{field.default:g}"
        yield f"| `{name}` | {default} | {field.description}{bounds(field.metadata)} |\n"


def bounds(rules: list[Any]) -> str:
    limits = {type(rule).__name__: rule for rule in rules}
    words = [
        f"{word} {getattr(limits[name], name.lower()):g}"
        for name, word in (("Ge", "at least"), ("Gt", "more than"), ("Le", "at most"), ("Lt", "less than"))
        if name in limits
    ]
    return f" ({', '.join(words)})" if words else ""
