"""The edits of a run: put together from all of its workers, written as one patch that `git apply` takes, or made."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from ...observer.errors import OutputFailed
from .sources import read_text, write_text

PATCH_NAME: Final = "firstcause-heal.patch"
NO_NEWLINE: Final = "\\ No newline at end of file\n"


class PlainEdit(TypedDict):
    file: str
    start: int
    end: int
    old: str
    new: str
    locator: str


@dataclass(frozen=True, slots=True)
class Edit:
    """`new` instead of what stands from `start` to `end` of a file's text, which is `old`."""

    file: Path
    start: int
    end: int
    old: str
    new: str
    locator: str = ""

    def plain(self) -> PlainEdit:
        """For another process."""
        return PlainEdit(
            file=str(self.file),
            start=self.start,
            end=self.end,
            old=self.old,
            new=self.new,
            locator=self.locator,
        )


class Patches:
    """Takes edits in any order; of two that want the same place the first is taken."""

    def __init__(self, root: Path) -> None:
        self.root = repository_of(root.resolve())
        self._edits: defaultdict[Path, list[Edit]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self._edits)

    def add(self, edits: Iterable[Edit]) -> list[Edit]:
        """Those that are refused: another test's edit is there already."""
        refused: list[Edit] = []
        for edit in edits:
            others = self._edits[edit.file]
            if any((one.start, one.end, one.new) == (edit.start, edit.end, edit.new) for one in others):
                continue
            (refused if any(_meet(one, edit) for one in others) else others).append(edit)
        return refused

    @property
    def count(self) -> str:
        """`3 selectors`: one that stands in several places is one."""
        locators = {(edit.file, edit.locator) for edits in self._edits.values() for edit in edits}
        return f"{len(locators)} selector{'s' if len(locators) > 1 else ''}"

    def plain(self) -> list[PlainEdit]:
        return [edit.plain() for edits in self._edits.values() for edit in edits]

    def add_plain(self, edits: Iterable[PlainEdit]) -> list[Edit]:
        """What another process found."""
        return self.add(
            Edit(Path(each["file"]), each["start"], each["end"], each["old"], each["new"], each["locator"])
            for each in edits
        )

    def diff(self) -> str:
        """All of it, with paths from the root of the repository."""
        return "".join(self._diffs())

    def write(self, folder: Path) -> Path | None:
        """The patch in the folder, if there is any. Raises OutputFailed."""
        if not (diff := self.diff()):
            return None
        path = folder / PATCH_NAME
        try:
            path.write_bytes(diff.encode())
        except OSError as error:
            raise OutputFailed(
                f"{path} can't be written: {error.strerror}.", "Choose another folder."
            ) from error
        return path

    def apply(self) -> list[Path]:
        """The files that were changed. Raises OutputFailed."""
        changed: list[Path] = []
        for file, edits in sorted(self._edits.items()):
            try:
                before = read_text(file)
                if (after := _edited(before, edits)) != before:
                    write_text(file, after)
                    changed.append(file)
            except (OSError, ValueError) as error:
                raise OutputFailed(
                    f"{file} can't be changed: {error}.", "Apply the patch by hand."
                ) from error
        return changed

    def _diffs(self) -> Iterator[str]:
        for file, edits in sorted(self._edits.items()):
            try:
                before = read_text(file)
            except (OSError, ValueError):
                continue
            name = (
                file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else file.as_posix()
            )
            yield from _diff(name, before, _edited(before, edits))


def _edited(text: str, edits: Sequence[Edit]) -> str:
    """From the end to the beginning, so that places stay; what is not there any more is left out."""
    for edit in sorted(edits, key=lambda one: -one.start):
        if text[edit.start : edit.end] == edit.old:
            text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def _meet(one: Edit, other: Edit) -> bool:
    return one.start < other.end and other.start < one.end


def _diff(name: str, before: str, after: str) -> Iterator[str]:
    # Git knows one end of a line, and what stands before it belongs to the line.
    old, new = before.split("\n"), after.split("\n")
    lines = difflib.unified_diff(_ended(old), _ended(new), _named("a", name), _named("b", name))
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}"


def _ended(lines: Sequence[str]) -> list[str]:
    *ended, last = lines
    return [f"{line}\n" for line in ended] + ([last] if last else [])


def _named(side: str, name: str) -> str:
    """As git writes it: a name with more than plain characters in quotes."""
    path = f"{side}/{name}"
    if path.isascii() and path.isprintable() and not set(path) & {'"', "\\"}:
        return f"{path}\t" if " " in path else path
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in path.encode()
    )
    return f'"{escaped}"'


def repository_of(root: Path) -> Path:
    """Paths of a patch begin where git's do."""
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), root)
