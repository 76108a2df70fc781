"""Every setting of the server and of observing, and where it may come from: flags, the environment, a file, the default."""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple, cast, get_args

from platformdirs import user_state_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ..correlator.detecting import ThresholdRefused
from ..correlator.redact import Redactor, checked_pattern
from ..observer.errors import UsageError
from ..observer.options import Evidence, Level, TargetMode
from .thresholds import Table, merged, table_of

A11y = Literal["off", "idle"]

PREFIX: Final = "FIRSTCAUSE_"
FILE_NAME: Final = "firstcause.toml"
PROJECT_PATTERN: Final = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
TOKEN_PATTERN: Final = "[A-Za-z0-9._~+/=-]{16,512}"  # the characters that RFC 6750 lets a header carry

OTHER_VARIABLES: Final = MappingProxyType({"FIRSTCAUSE_URL": "the address of the server that clients use"})
"""Variables of our prefix that are no settings of the server."""

RUNTIME: Final = (
    "throttle_ms",
    "inline_events",
    "ring_events",
    "ring_mb",
    "memory_budget_mb",
    "max_connections",
    "max_subscriptions",
    "max_projects",
    "publish_per_s",
    "stall_s",
    "detectors",
)
"""What may be changed while the server runs."""

REPEATED: Final = {"selectors": "--selector", "detectors": "--detector"}
"""Flags that are given once for each part of a setting."""

PATHS: Final = ("state_dir", "browser")
HINT_DETECTORS: Final = "`firstcause detectors` lists them with their options."
HINT_UNKNOWN: Final = "Take it away; `firstcause config` then lists all that there are."
KUBERNETES: Final = (
    "Kubernetes sets such variables for a Service named firstcause: give the pod enableServiceLinks: false."
)
MAX_SHOWN: Final = 80


class SettingRefused(UsageError):
    """A setting that does not exist, has a value out of its range, or can't be read or changed."""

    code = "bad_setting"


def default_state_dir() -> Path:
    """the user's folder for state, ~/.local/state/firstcause on Linux"""
    return user_state_path("firstcause", appauthor=False)


def _host(text: str) -> str:
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            raise ValueError("must be a name or an address without a port") from None
    return text


def _allowed_host(text: str) -> str:
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", text):
        raise ValueError("must be names like dev.example or dev.example:8443, without http://")
    return text.lower()


def _allowed_origin(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s*]+", text):
        raise ValueError("must be origins like https://dev.example, without a path and without *")
    return text.lower()


def _field_name(text: str) -> str:
    if not re.fullmatch(r"[\w.$-]*[A-Za-z0-9][\w.$-]*", text):
        raise ValueError("must be names like customer_id")
    return text


class Settings(BaseSettings):
    """What can be set; `load` collects the values, the constructor alone knows only what it is given and the defaults."""

    # A value that is refused may be a token in the wrong place, so pydantic keeps it out of its texts.
    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, AfterValidator(_host)] = Field(
        default="127.0.0.1",
        pattern=r"^[^\s/\[\]]+$",
        max_length=255,
        description="The address to listen on; one beyond this machine needs a `token`.",
    )
    port: int = Field(default=0, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    auth: Literal["token", "off"] = Field(
        default="token", description="Whether clients need a token; `off` is for this machine alone."
    )
    token: SecretStr = Field(
        default=SecretStr(""),
        description="The master token, of 16 characters or more; empty takes the one in `state_dir`.",
    )
    project: str = Field(
        default="default",
        pattern=f"^(?:{PROJECT_PATTERN})$",
        description="The project that events belong to: letters, digits, `.`, `_` and `-`, at most 64 of them.",
    )
    state_dir: Path = Field(
        default_factory=default_state_dir, description="The folder of the token and the journal."
    )
    journal: Literal["sqlite", "memory"] = Field(
        default="sqlite", description="Where events are kept; `memory` forgets them when the server ends."
    )
    retention: Literal["rolling", "time", "none"] = Field(
        default="rolling",
        description="What the journal lets go of: the oldest beyond a size or count, what is too old, or nothing.",
    )
    journal_max_mb: int = Field(
        default=256, ge=1, le=1_048_576, description="How large the journal gets with `rolling`."
    )
    journal_max_events: int = Field(
        default=1_000_000,
        ge=100,
        le=1_000_000_000,
        description="How many events the journal keeps with `rolling`.",
    )
    journal_max_age_h: float = Field(
        default=168.0,
        ge=0.01,
        le=87_600,
        allow_inf_nan=False,
        description="How long the journal keeps an event with `time`.",
    )
    ring_events: int = Field(
        default=2000, ge=10, le=1_000_000, description="How many events of a channel are kept in memory."
    )
    ring_mb: float = Field(
        default=2.0,
        ge=0.1,
        le=1024,
        allow_inf_nan=False,
        description="How much memory the events of a channel may take.",
    )
    memory_budget_mb: float = Field(
        default=64.0,
        ge=1,
        le=1_048_576,
        allow_inf_nan=False,
        description="How much memory all kept events may take.",
    )
    throttle_ms: int = Field(
        default=1000,
        ge=0,
        le=3_600_000,
        description="The least time between two notifications of a channel; 0 tells every event at once.",
    )
    inline_events: int = Field(
        default=20,
        ge=1,
        le=200,
        description="How many events a notification carries whole; more are told as a digest.",
    )
    max_connections: int = Field(
        default=100, ge=1, le=100_000, description="How many connections one token may have open."
    )
    max_subscriptions: int = Field(
        default=32, ge=1, le=10_000, description="How many subscriptions one connection may have."
    )
    max_projects: int = Field(
        default=100, ge=1, le=100_000, description="How many projects the server takes."
    )
    publish_per_s: float = Field(
        default=200.0,
        ge=0.1,
        le=100_000,
        allow_inf_nan=False,
        description="How many events one token may publish a second.",
    )
    max_body_kb: int = Field(
        default=256,
        ge=1,
        le=65_536,
        description="How large the body of a request or a message of a client may be.",
    )
    stall_s: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        allow_inf_nan=False,
        description="How long a client may take nothing before its connection is closed.",
    )
    allowed_hosts: tuple[Annotated[str, AfterValidator(_allowed_host)], ...] = Field(
        default=(),
        max_length=100,
        description="Names beside the server's own that requests may be addressed to.",
    )
    allowed_origins: tuple[Annotated[str, AfterValidator(_allowed_origin)], ...] = Field(
        default=(), max_length=100, description="Origins of web pages and extensions that may connect."
    )
    browser: str = Field(
        default="", description="The browser to launch; empty takes Playwright's own or an installed one."
    )
    level: Level = Field(
        default="full",
        description="How much is captured; `lean` costs the browser less and leaves the Network domain out.",
    )
    targets: TargetMode = Field(
        default="page",
        description="What is attached to; `tab` keeps prerendering alive, in a browser that no other program drives.",
    )
    hang_stacks: bool = Field(
        default=True, description="Whether hangs are told with a function, which needs the debugger on."
    )
    markers: bool = Field(
        default=True,
        description="Whether a page's tasks are followed from what started them to what they do; without, less can be proven.",
    )
    a11y: A11y = Field(
        default="off",
        description="Whether axe looks for what keeps people out; with `idle` while a page rests. Needs `firstcause[a11y]`, and takes up to "
        "half a second of the page's main thread each time, which nobody should spend unasked.",
    )
    evidence: Evidence = Field(
        default="tasks",
        description="How causes are proven; `deep` adds asynchronous stacks, which make await-heavy pages many times slower.",
    )
    selectors: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        max_length=100,
        description="CSS selectors to tell about when they stop matching one element.",
    )

    detectors: Annotated[Table, BeforeValidator(table_of)] = Field(
        default={},
        description="Other thresholds for detectors, by their ids; `firstcause detectors` lists them all.",
    )

    redact_fields: tuple[Annotated[str, Field(max_length=64), AfterValidator(_field_name)], ...] = Field(
        default=(),
        max_length=100,
        description="Names of fields, parameters and headers whose values are hidden, beside those that always are.",
    )
    redact_patterns: tuple[Annotated[str, AfterValidator(checked_pattern)], ...] = Field(
        default=(),
        max_length=100,
        description="RE2 expressions; whatever one matches is hidden. A variable holds one of them, or a JSON list.",
    )
    redact_emails: bool = Field(default=False, description="Whether e-mail addresses are hidden too.")

    @property
    def redactor(self) -> Redactor:
        """What is hidden from events, by these settings and always."""
        return Redactor(self.redact_fields, self.redact_patterns, self.redact_emails)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The library's own sources don't say which value came from where, and pass over a misspelt variable."""
        return (init_settings,)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: object, info: ValidationInfo) -> object:
        """Pydantic would take `port = true` for 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("must not be true or false")
        return value

    @field_validator("allowed_hosts", "allowed_origins", "redact_fields", "selectors", mode="before")
    @classmethod
    def _list_of_text(cls, value: object) -> object:
        """`a, b` and `["a", "b"]` are both the way to write a list in a variable."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            try:
                return json.loads(value)
            except ValueError:
                # An attribute selector begins with [ as well.
                pass
        return tuple(part for part in map(str.strip, value.split(",")) if part)

    @field_validator("redact_patterns", mode="before")
    @classmethod
    def _list_of_patterns(cls, value: object) -> object:
        """A comma is part of an expression."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            with suppress(ValueError):  # a class of characters begins with [ as well
                return json.loads(value)
        return (value,) if value else ()

    @field_validator("state_dir", mode="before")
    @classmethod
    def _folder(cls, value: object) -> object:
        if value == "":
            raise ValueError("must name a folder")
        try:
            return Path(value).expanduser() if isinstance(value, str) else value
        except RuntimeError:
            raise ValueError("must not begin with ~ where there is no home") from None

    @field_validator("token")
    @classmethod
    def _strong(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.fullmatch(TOKEN_PATTERN, value.get_secret_value()):
            raise ValueError("must have at least 16 characters, each a letter, a digit or one of -._~+/=")
        return value


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in effect, and where each comes from in words: `flag --port`, `FIRSTCAUSE_PORT`, a file, `default`.

    A threshold is named like `slow_response.after_ms` in `threshold_origins`, if it is not at its default.
    """

    settings: Settings
    origins: Mapping[str, str]
    threshold_origins: Mapping[str, str]


class Given(NamedTuple):
    """One value as somebody wrote it; `spell` writes the name of any setting as it is written there."""

    name: str
    value: object
    origin: str
    told: str
    spell: Callable[[str], str]
    hint: str = ""


def load(
    flags: Mapping[str, object] = MappingProxyType({}),
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """The settings in effect: flags win over the environment, that over the nearest file. A flag that is None is not given.

    Thresholds win one by one.
    """
    given: dict[str, Given] = {}
    thresholds: dict[str, str] = {}
    everything = (
        *_in_files(cwd),
        *_in_environment(os.environ if environ is None else environ),
        *_in_flags(flags),
    )
    for one in everything:
        if one.name not in Settings.model_fields:
            near = _nearest(one.name.removeprefix(PREFIX), Settings.model_fields, one.spell)
            raise SettingRefused(f"{one.told} is not a setting.", near or one.hint or HINT_UNKNOWN)
        if one.name == "detectors":
            table = _table_of(one)
            thresholds |= {f"{name}.{option}": one.origin for name in table for option in table[name]}
            before = cast("Table", given[one.name].value) if one.name in given else {}
            one = one._replace(value=merged([before, table]))  # noqa: PLW2901
        given[one.name] = one
    settings = _checked(
        {name: one.value for name, one in given.items()},
        lambda name: (given[name].told, given[name].hint) if name in given else (name, ""),
    )
    origins = {name: given[name].origin if name in given else "default" for name in Settings.model_fields}
    return Loaded(settings, origins, thresholds)


def _table_of(one: Given) -> Table:
    try:
        return table_of(one.value)
    except ThresholdRefused as error:
        raise SettingRefused(f"{one.told}: {error}.", HINT_DETECTORS) from None


def changed(settings: Settings, patch: Mapping[str, object]) -> Settings:
    """The settings with those of `patch` in place of theirs, by the rules of a start; only `RUNTIME` ones may be changed."""
    for name in patch:
        if name not in Settings.model_fields:
            hint = _nearest(name, RUNTIME, str) or f"These can be changed: {', '.join(RUNTIME)}."
            raise SettingRefused(f"{_clipped(name)} is not a setting.", hint)
        if name not in RUNTIME:
            raise SettingRefused(
                f"{name} can't be changed while the server runs.",
                f"Set it where the server is started, and start it again. These can be changed: {', '.join(RUNTIME)}.",
            )
    new = {**settings.model_dump(), **patch}
    if "detectors" in patch:
        try:
            new["detectors"] = merged([settings.detectors, table_of(patch["detectors"])])
        except ThresholdRefused as error:
            raise SettingRefused(f"detectors: {error}.", HINT_DETECTORS) from None
    return _checked(new, lambda name: (name, ""))


def _in_flags(flags: Mapping[str, object]) -> Iterator[Given]:
    for name, value in flags.items():
        if value is not None:
            yield Given(name, value, f"flag {_flag(name)}", _flag(name), _flag)


def _flag(name: str) -> str:
    return REPEATED.get(name) or f"--{name.replace('_', '-')}"


def _in_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """An empty variable counts as not given: that is what `${TOKEN:-}` in a compose file leaves."""
    hint = KUBERNETES if f"{PREFIX}SERVICE_HOST" in environ else ""
    for variable, value in sorted(environ.items()):
        if variable.startswith(PREFIX) and variable not in OTHER_VARIABLES and value:
            bare = variable.removeprefix(PREFIX)
            name = bare.lower() if bare.isupper() else variable
            yield Given(name, value, variable, variable, variable_of, hint)


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _in_files(cwd: Path | None) -> Iterator[Given]:
    """The nearest folder upwards that has settings wins whole; in it, firstcause.toml wins over pyproject.toml."""
    try:
        folder = (cwd or Path.cwd()).absolute()
    except FileNotFoundError:  # somebody has removed the folder we are in
        return
    for place in (folder, *folder.parents):
        origin = str(place / FILE_NAME)
        table = _read_toml(place / FILE_NAME)
        if table is None:
            origin = f"{place / 'pyproject.toml'} [tool.firstcause]"
            # A project's own file is none of our business, broken or not, unless it speaks of us.
            project = _read_toml(place / "pyproject.toml", only_with="firstcause") or {}
            tools = project.get("tool")
            table = cast("dict[str, Any]", tools).get("firstcause") if isinstance(tools, dict) else None
        if table is None:
            continue
        if not isinstance(table, dict):
            raise SettingRefused(
                f"{origin} must be a table.", "Write [tool.firstcause] and the settings below it."
            )
        for name, value in cast("dict[str, object]", table).items():
            if name in PATHS and isinstance(value, str) and value and not value.startswith("~"):
                value = str(place / value)  # noqa: PLW2901  a file means its own folder, wherever we were started
            yield Given(name, value, origin, f"{name} in {origin}", str)
        return


def _read_toml(path: Path, only_with: str = "") -> dict[str, Any] | None:
    """What is in the file; None when there is no such file, or it can't hold anything for us."""
    try:
        if not path.is_file():
            return None
    except PermissionError:  # a folder above that is closed to us
        return None
    try:
        text = path.read_text("utf-8")
        return tomllib.loads(text) if only_with in text else None
    except OSError as error:
        reason = f"can't be read: {(error.strerror or str(error)).lower()}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML: {error}"
    raise SettingRefused(f"{path} {reason}.", "Correct it, or move it away.")


def _checked(values: Mapping[str, object], told: Callable[[str], tuple[str, str]]) -> Settings:
    try:
        return Settings(**cast("dict[str, Any]", dict(values)))
    except ValidationError as error:
        # The rest of its context would carry the values, and a token with them.
        refused = _refused(error.errors(include_url=False)[0], told)
    raise refused


def _refused(error: ErrorDetails, told: Callable[[str], tuple[str, str]]) -> SettingRefused:
    name = str(error["loc"][0])
    field = Settings.model_fields[name]
    subject, hint = told(name)
    rule = re.sub(r"^(\w+ should|Value error, must) ", "must ", error["msg"])
    rule = re.sub(r", (unable to|got) .*", "", rule).replace("a valid tuple", "a list")
    secret = field.annotation is SecretStr
    given = str(error["input"])
    value = "" if secret else f", and is {_clipped(given) or 'empty'}"
    near = "" if secret else _nearest(given, map(str, get_args(field.annotation)), str)
    return SettingRefused(f"{subject} {rule}{value}.", hint or near or str(field.description))


def _nearest(written: str, names: Iterable[str], spell: Callable[[str], str]) -> str:
    near = difflib.get_close_matches(written[:MAX_SHOWN].lower(), list(names), 1)
    return f"Did you mean {spell(near[0])}?" if near else ""


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
