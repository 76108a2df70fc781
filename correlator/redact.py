"""Takes secrets out of texts, addresses, fields and signals before anything leaves the correlator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import msgspec
import re2  # pyright: ignore[reportMissingTypeStubs]
from pydantic import JsonValue

from ..observer.signal import Signal
from .event import Event
from .secrets import built_in
from .secrets.emails import EMAILS
from .secrets.fields import NAMING, VALUE, is_secret
from .secrets.names import Names
from .secrets.patterns import PatternRefused, checked_pattern, pattern_rules
from .secrets.rule import HIDDEN, Rule

__all__ = ["HIDDEN", "PatternRefused", "Redactor", "checked_pattern", "redact_text", "redact_url"]

T = TypeVar("T")
RE2: Any = re2

# No text that is told is nearly as long; what is looked at is not for the page to decide.
MAX_CHARS: Final = 8_000
# A text of this length that was cut may end in half of what a pattern would match; so far no summary shows it.
MIN_CUT_CHARS: Final = 250


@dataclass(frozen=True, slots=True)
class Redactor:
    """What is hidden beside the built-in rules: values of `names`, what `patterns` (RE2) match, and e-mail addresses.

    Raises PatternRefused.
    """

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    emails: bool = False
    _names: Names = field(init=False, repr=False, compare=False)
    _hides: tuple[Callable[[str], str], ...] = field(init=False, repr=False, compare=False)
    _triggers: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = Names(self.names)
        rules = (*built_in(names), *pattern_rules(self.patterns), *((EMAILS,) if self.emails else ()))
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_hides", tuple(rule.hide for rule in rules))
        object.__setattr__(self, "_triggers", _searched(rules))

    def __reduce__(self) -> tuple[type[Redactor], tuple[tuple[str, ...], tuple[str, ...], bool]]:
        """What is compiled is compiled again where it arrives."""
        return Redactor, (self.names, self.patterns, self.emails)

    @property
    def adds_rules(self) -> bool:
        """Whether it hides anything beside what the built-in rules do."""
        return bool(self.names or self.patterns or self.emails)

    def text(self, text: str) -> str:
        if len(text) > MAX_CHARS:
            text = f"{text[: MAX_CHARS - 1]}…"
        if self.patterns and len(text) > MIN_CUT_CHARS and text.endswith("…"):
            text = f"{text.rpartition(' ')[0]} …"
        for index in self._triggered(text):
            text = self._hides[index](text)
        return text

    def url(self, url: str) -> str:
        """As a text; of a `data:` address only its type, for who knows what is encoded in the rest."""
        if url[:5].lower() == "data:":
            return f"{self.text(url[:80].partition(',')[0])},…"
        return self.text(url)

    def fields(self, fields: dict[str, Any]) -> dict[str, JsonValue]:
        """The value of `"password": …` is hidden whatever it is; that of `"code": …` has to look random too."""
        named = next((fields[name] for name in NAMING if isinstance(fields.get(name), str)), "")
        hides_value = VALUE in fields and self._names.kind(str(named)) not in ("", "weak")
        return {
            self.text(name): HIDDEN if hides_value and name == VALUE else self._field(name, value)
            for name, value in fields.items()
        }

    def value(self, value: Any) -> JsonValue:
        """A value of JSON."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in cast("list[Any]", value)]
            case dict():
                return self.fields(cast("dict[str, Any]", value))
            case _:
                return value

    def event(self, event: Event) -> Event:
        """The event as it may be kept and told; the same object if it holds no secret."""
        if self._is_clean(event):
            return event
        summary, context, page = self.text(event.summary), self.fields(event.context), self.text(event.page)
        if summary == event.summary and context == event.context and page == event.page:
            return event
        return event.model_copy(update={"summary": summary, "context": context, "page": page})

    def signal(self, signal: Signal) -> Signal:
        """The signal with all that a page can put into it redacted; its ids stay."""
        return msgspec.structs.replace(
            signal,
            detail=self.strings(signal.detail),
            stack=self.strings(signal.stack),
            async_stack=self.strings(signal.async_stack),
            element=self.text(signal.element),
        )

    def strings(self, value: T) -> T:
        """The same, with every string in it redacted, at any depth of structs, lists, tuples and dicts."""
        return cast("T", self._strings(value))

    def _strings(self, value: Any) -> Any:
        match value:
            case str():
                return self.url(value)
            case msgspec.Struct():
                names = value.__struct_fields__
                return msgspec.structs.replace(
                    value, **{name: self._strings(getattr(value, name)) for name in names}
                )
            case list():
                return [self._strings(item) for item in cast("list[Any]", value)]
            case tuple():
                return tuple(self._strings(item) for item in cast("tuple[Any, ...]", value))
            case dict():
                return self.fields(cast("dict[str, Any]", value))
            case _:
                return value

    def _is_clean(self, event: Event) -> bool:
        """Whether one look at all texts together says that there is nothing to hide, as nearly always."""
        if self.patterns or VALUE in event.context:  # a pattern may be bound to the start of its text
            return False
        texts = [event.summary, event.page]
        for name, value in event.context.items():
            if self._names.kind(name) or isinstance(value, list | dict):
                return False
            texts += (name, value) if isinstance(value, str) else (name,)
        text = "\n".join(texts)
        return len(text) <= MAX_CHARS and not self._triggered(text)

    def _field(self, name: str, value: Any) -> JsonValue:
        if value is None or isinstance(value, bool):
            return value
        kind = self._names.kind(name)
        if kind == "weak":
            hidden = isinstance(value, str | int) and is_secret(kind, str(value))
        else:
            hidden = bool(kind) and value not in ("", [], {})
        return HIDDEN if hidden else self.value(value)

    def _triggered(self, text: str) -> Sequence[int]:
        try:
            return sorted(self._triggers.Match(text) or ())
        except UnicodeEncodeError:  # half a surrogate pair, which RE2 does not take
            return range(len(self._hides))


def _searched(rules: Iterable[Rule]) -> Any:
    found = RE2.Set.SearchSet()
    for rule in rules:
        found.Add(rule.trigger)
    found.Compile()
    return found


BUILT_IN: Final = Redactor()
redact_text: Final = BUILT_IN.text
redact_url: Final = BUILT_IN.url
