"""A project's Python files as they stand: parsed, with the place of each node in the text, and what their names stand for."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from .locators import Value, literal

# As Python counts them: a form feed or a line separator ends none.
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
MAX_FILES: Final = 200
MAX_BYTES: Final = 2_000_000
FOREIGN: Final = frozenset(
    {"site-packages", "dist-packages", "node_modules", ".venv", "venv", ".tox", ".nox"}
)
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


class Defined(NamedTuple):
    """Where a constant gets its value."""

    source: Source
    node: ast.Constant


class Source:
    """One file. Raises OSError, SyntaxError and ValueError if it can't be read."""

    def __init__(self, path: Path, project: Project) -> None:
        self.path = path
        self.project = project
        self.text = read_text(path)
        self.tree = ast.parse(self.text.removeprefix("\ufeff"))
        self._mark = len(self.text) - len(self.text.removeprefix("\ufeff"))
        self.lines = LINE.findall(self.text.removeprefix("\ufeff"))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def _starts(self) -> list[int]:
        starts = [self._mark]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def place(self, line: int, column: int) -> int:
        """Of what the parser names by line and byte."""
        return self._starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.expr) -> int:
        return self.place(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        return self.place(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def scope(self, node: ast.AST) -> Scope:
        """The function, class or module that it stands in."""
        at = self.parents.get(node, self.tree)
        while not isinstance(at, Scope):
            at = self.parents[at]
        return at

    def value(self, node: ast.expr) -> Value:
        """What an argument is: a constant wherever it is defined. Raises ValueError."""
        if isinstance(node, ast.JoinedStr):
            return "".join(self._text(part) for part in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._text(node.left) + self._text(node.right)
        if (defined := self.defined(node)) is not None:
            return literal(defined.node)
        return literal(node)

    def defined(self, node: ast.expr) -> Defined | None:
        """Of a name, or an attribute of a class, an object or a module; None if it has several values, or none that is known."""
        if isinstance(node, ast.Name):
            near = self.scope(node)
            return (
                self._assigned(node.id, near) or self._assigned(node.id, self.tree) or self._imported(node.id)
            )
        if isinstance(node, ast.Attribute):
            classes = [each for each in ast.walk(self.tree) if isinstance(each, ast.ClassDef)]
            own = [found for each in classes if (found := self._assigned(node.attr, each)) is not None]
            if len(own) == 1:
                return own[0]
            module = self._module_of(node.value)
            return None if own or module is None else module.anywhere(node.attr)
        return None

    def anywhere(self, name: str) -> Defined | None:
        """A constant of the module or of the only class that has it."""
        scopes = [each for each in ast.walk(self.tree) if isinstance(each, ast.ClassDef | ast.Module)]
        found = [defined for each in scopes if (defined := self._assigned(name, each)) is not None]
        return found[0] if len(found) == 1 else None

    def imports(self) -> Iterator[Source]:
        """The project's files that it imports, directly."""
        for node in ast.walk(self.tree):
            names = list[str]()
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                glue = "" if base.endswith(".") or not base else "."
                names = [base, *(f"{base}{glue}{each.name}" for each in node.names)]
            for name in names:
                if (source := self.project.module(name, self.path)) is not None:
                    yield source

    def _text(self, node: ast.expr) -> str:
        value = self.value(node.value if isinstance(node, ast.FormattedValue) else node)
        if isinstance(value, str):
            return value
        raise ValueError("no text")

    def _assigned(self, name: str, scope: Scope) -> Defined | None:
        """The one constant text that a name has in a scope."""
        found = list[ast.expr]()
        for node in ast.walk(scope):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or self.scope(node) is not scope:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and any(
                isinstance(each, ast.Name) and each.id == name for each in targets
            ):
                found.append(node.value)
        if len(found) == 1 and isinstance(found[0], ast.Constant) and isinstance(found[0].value, str):
            return Defined(self, found[0])
        return None

    def _imported(self, name: str) -> Defined | None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                for each in node.names:
                    if (each.asname or each.name) == name:
                        module = self.project.module("." * node.level + (node.module or ""), self.path)
                        return module.anywhere(each.name) if module is not None else None
        return None

    def _module_of(self, node: ast.expr) -> Source | None:
        """What `pages` or `CheckoutPage` is imported from."""
        name = node.id if isinstance(node, ast.Name) else ""
        for found in ast.walk(self.tree):
            if isinstance(found, ast.Import | ast.ImportFrom):
                for each in found.names:
                    if name and (each.asname or each.name.partition(".")[0]) == name:
                        base = (
                            "." * found.level + (found.module or "")
                            if isinstance(found, ast.ImportFrom)
                            else ""
                        )
                        glue = "." if base and not base.endswith(".") else ""
                        return self.project.module(f"{base}{glue}{each.name}", self.path) or (
                            self.project.module(base, self.path) if base else None
                        )
        return None


class Project:
    """The files below `root` that are its own; each is read once."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._sources: dict[Path, Source | None] = {}

    def source(self, path: Path) -> Source | None:
        """None if it is not the project's, or can't be read."""
        path = path.resolve()
        if path not in self._sources:
            self._sources[path] = self._read(path) if len(self._sources) < MAX_FILES else None
        return self._sources[path]

    def module(self, name: str, importer: Path) -> Source | None:
        """What `name`, with a dot in front for each level, means in a file."""
        bare = name.lstrip(".")
        level = len(name) - len(bare)
        parts = bare.split(".") if bare else []
        folders = [importer.parents[level - 1]] if level else self._roots(importer)
        for folder in folders:
            stem = folder.joinpath(*parts)
            for path in (stem.with_suffix(".py") if parts else stem / "__init__.py", stem / "__init__.py"):
                if path.is_file() and (source := self.source(path)) is not None:
                    return source
        return None

    def _roots(self, importer: Path) -> list[Path]:
        """Where absolute imports may begin: each folder from the file's own up to the root, and its `src`."""
        above = [each for each in importer.parents if each.is_relative_to(self.root)]
        return [folder for each in above for folder in (each, each / "src")]

    def _read(self, path: Path) -> Source | None:
        inside = path.is_relative_to(self.root) and FOREIGN.isdisjoint(path.relative_to(self.root).parts)
        try:
            return Source(path, self) if inside and path.stat().st_size <= MAX_BYTES else None
        except (OSError, SyntaxError, ValueError, RecursionError):
            return None


def read_text(path: Path) -> str:
    """As it stands: with its own line ends and its mark."""
    raw = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    return raw.decode("utf-8" if encoding == "utf-8-sig" else encoding)


def write_text(path: Path, text: str) -> None:
    raw = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    path.write_bytes(text.encode("utf-8" if encoding == "utf-8-sig" else encoding))
