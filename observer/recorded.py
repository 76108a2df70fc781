"""Signals as a file: a line of JSON each below a first line that says so, gzipped if the name ends in .gz."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from .errors import BadRecording
from .observer import Observer
from .signal import Detail, Signal

VERSION: Final = 1
WHAT: Final = "signals"
HEADER: Final = msgspec.json.encode({"firstcause": WHAT, "version": VERSION})
HINT: Final = "`firstcause record --signals` writes one."
GZIP_MAGIC: Final = b"\x1f\x8b"


class UnknownSignal(ValueError):
    """A kind of signal that this version doesn't have, or has with other fields."""


class Header(msgspec.Struct):
    firstcause: str
    version: int


class Kind(msgspec.Struct):
    kind: str


DETAILS: Final = {str(detail.__struct_config__.tag): detail for detail in Observer.details}
KIND: Final = msgspec.json.Decoder(Kind)


def _undecoded(field: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    kind = msgspec.Raw if field.name == "detail" else field.type
    return (field.name, kind) if field.required else (field.name, kind, field.default)


# A signal whose detail waits to be decoded until its kind is known.
UNDECODED: Final = msgspec.json.Decoder(
    msgspec.defstruct("Undecoded", map(_undecoded, msgspec.structs.fields(Signal)), kw_only=True)
)


def encode_signal(signal: Signal) -> bytes:
    """One line, without its end."""
    return msgspec.json.encode(signal)


def decode_signal(line: bytes) -> Signal:
    """Raises UnknownSignal, and msgspec.DecodeError for what is no signal at all."""
    fields = msgspec.structs.asdict(UNDECODED.decode(line))
    raw: msgspec.Raw = fields.pop("detail")
    return Signal(detail=_detail(raw), **fields)


def _detail(raw: msgspec.Raw) -> Detail:
    kind = KIND.decode(raw).kind
    detail = DETAILS.get(kind)
    if detail is None:
        raise UnknownSignal(kind)
    try:
        return msgspec.json.decode(raw, type=detail)
    except msgspec.ValidationError as error:
        raise UnknownSignal(kind) from error


def is_recording(first_line: bytes) -> bool:
    """Whether a file that begins so holds signals, of whatever version."""
    try:
        return msgspec.json.decode(first_line, type=Header).firstcause == WHAT
    except msgspec.DecodeError:
        return False


class RecordedSignals:
    """Reads a recording by being iterated, which raises BadRecording. Then `skipped` counts what this version doesn't know, by kind,
    and `cut` says that the file ends in the middle: the recorder was killed, or is still at work.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped: Counter[str] = Counter()
        self.cut = False

    def __iter__(self) -> Iterator[Signal]:
        lines = Lines(self.path)
        self._check(next(lines, b""))
        for number, line in enumerate(lines, 2):
            try:
                yield decode_signal(line)
            except UnknownSignal as unknown:
                self.skipped[str(unknown)] += 1
            except (msgspec.DecodeError, UnicodeError) as error:
                raise BadRecording(f"{self.path}: line {number} is not a signal: {error}.", HINT) from error
        self.cut = lines.cut

    def _check(self, first: bytes) -> None:
        if not is_recording(first):
            raise BadRecording(f"{self.path} is not a recording of signals.", HINT)
        version = msgspec.json.decode(first, type=Header).version
        if version > VERSION:
            raise BadRecording(
                f"{self.path} was recorded by a newer firstcause (version {version} of signals; this one reads {VERSION}).",
                "Update firstcause.",
            )


class Lines:
    """The whole lines of a file, gzipped or not; then `cut` says whether its end is missing. Raises BadRecording."""

    def __init__(self, path: Path) -> None:
        self.cut = False
        self._path = path
        self._lines = self._read()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._lines)

    def _read(self) -> Iterator[bytes]:
        try:
            with open_for_reading(self._path) as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        self.cut = True
                    elif line.strip():
                        yield line
        except EOFError:  # gzip's word for a file without its end
            self.cut = True
        except (OSError, ValueError, zlib.error) as error:  # a NUL byte in the name is a ValueError
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise BadRecording(
                f"{self._path} can't be read: {reason}.", "Give the path of a recording."
            ) from error


@contextmanager
def open_for_reading(path: Path) -> Generator[Iterable[bytes]]:
    """Told by its first bytes, so that a renamed file is read as well."""
    with path.open("rb") as file:
        if file.peek(2)[:2] == GZIP_MAGIC:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked
        else:
            yield file
