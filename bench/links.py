"""How many of the links between cause and effect are told, and how many of those are right, over recorded stories.

Each story in e2e_fixtures says what caused what; tests/recorded/links has its signals in three modes of capture. No browser runs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from _rig import Must, arguments, report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.links import MODES, SURE, Link, links_of, score

DEFAULT = "tasks"


def kinds_of(links: list[Link]) -> dict[str, list[Link]]:
    return {
        "all": links,
        "concurrent": [link for link in links if link.concurrent],
        "one flow": [link for link in links if not link.concurrent],
        "soft": [link for link in links if link.soft],
    }


def figures_of(links: list[Link]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for kind, some in kinds_of(links).items():
        figures = score(some)
        told[kind] = {"links": figures.links, "precision": figures.precision, "recall": figures.recall}
    sure = score(links, SURE)
    return {**told, "sure": {"precision": sure.precision, "recall": sure.recall, "wrong": sure.wrong}}


def show(mode: str, figures: dict[str, Any]) -> None:
    for kind, some in figures.items():
        count = f"{some['links']:4d} links" if "links" in some else f"{some['wrong']:4d} wrong"
        print(f"{mode:6} {kind:10} {count}  precision {some['precision']:.3f}  recall {some['recall']:.3f}")


def show_faults(mode: str, links: list[Link]) -> None:
    for link in links:
        if link.verdict != "right":
            sure = " at 0.8 or more" if link.verdict == "wrong" and link.confidence >= SURE else ""
            print(f"{mode:6} {link.verdict}{sure}{' (soft)' if link.soft else ''}: {link.says}")


def main() -> int:
    arguments(__doc__)
    began_s = time.monotonic()
    modes = {mode: links_of(mode) for mode in MODES}
    figures: dict[str, Any] = {mode: figures_of(links) for mode, links in modes.items()}
    figures["naive"] = figures_of(links_of(DEFAULT, naive=True))
    for mode, links in modes.items():
        show_faults(mode, links)
    for mode, some in figures.items():
        show(mode, some)
    figures["stories"] = len({link.story for link in modes[DEFAULT]})
    figures["seconds"] = round(time.monotonic() - began_s, 1)
    every, sure = figures[DEFAULT]["all"], figures[DEFAULT]["sure"]
    return report(
        "links",
        figures,
        [
            Must("precision", every["precision"], 0.98, at_least=True),
            Must("recall", every["recall"], 0.97, at_least=True),
            Must("wrong_at_0.8", sure["wrong"], 0),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
