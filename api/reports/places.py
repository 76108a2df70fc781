"""Where in a repository an event happened: the place that it tells, and the one file below the root that this can mean."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from ...correlator.event import Event

AT: Final = re.compile(r"^(?P<path>.+?):(?P<line>\d{1,7})(?::(?P<column>\d{1,7}))?(?:\s|$)")
SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*/?", re.IGNORECASE)
BUILT: Final = frozenset(
    {"node_modules", "__pycache__", "venv", "dist", "build", "coverage", "site-packages"}
)
MAX_FILES: Final = 200_000


class Place(NamedTuple):
    """`known`: the file is there, and the path is the one from the root."""

    path: str
    line: int = 1
    column: int = 0
    known: bool = False


class Sources:
    """The files below a root, looked for once and only if somebody asks."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def place(self, *events: Event) -> Place | None:
        """Of the first event that happened in a file of the repository, else of the first that tells any place."""
        told = [place for event in events for place in told_by(event)]
        found = (self._found(place) for place in told)
        return next((place for place in found if place is not None), told[0] if told else None)

    def _found(self, place: Place) -> Place | None:
        path = PurePosixPath(place.path)
        if path.is_relative_to(self._root.as_posix()):
            path = path.relative_to(self._root.as_posix())
        parts = tuple(part for part in path.parts if part not in {".", "..", "/"})
        if not parts:
            return None
        alike = [path for path in self._by_name.get(parts[-1], ()) if path.parts[-len(parts) :] == parts]
        exact = [path for path in alike if path.parts == parts]
        only = exact or alike
        return place._replace(path=only[0].as_posix(), known=True) if len(only) == 1 else None

    @cached_property
    def _by_name(self) -> dict[str, list[PurePosixPath]]:
        named: defaultdict[str, list[PurePosixPath]] = defaultdict(list)
        for number, path in enumerate(self._files()):
            if number >= MAX_FILES:
                break
            named[path.name].append(path)
        return named

    def _files(self) -> Iterator[PurePosixPath]:
        """None of what was installed or built."""
        for folder, folders, files in os.walk(self._root):
            folders[:] = sorted(each for each in folders if each not in BUILT and not each.startswith("."))
            below = PurePosixPath(Path(folder).relative_to(self._root).as_posix())
            yield from (below / file for file in files)


def told_by(event: Event) -> Iterator[Place]:
    """The places that an event tells: a test's own file, and where in the sources it happened."""
    file, line = event.context.get("file"), event.context.get("line")
    if isinstance(file, str) and file:
        yield Place(_shortened(file), line if isinstance(line, int) and line > 0 else 1)
    at = event.context.get("at")
    found = AT.match(at) if isinstance(at, str) else None
    if found is not None and not found["path"].startswith("("):
        yield Place(_shortened(found["path"]), max(1, int(found["line"])), int(found["column"] or 0))


def _shortened(path: str) -> str:
    """Of an address or a source map's name, what may be a path."""
    return SCHEME.sub("", path.replace("\\", "/")).partition("?")[0].removeprefix("…")
