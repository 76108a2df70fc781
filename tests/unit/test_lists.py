"""What lies in the folders and what the explicit lists name are the same."""

from __future__ import annotations

import functools
import importlib
import operator
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from firstcause import observer as floor
from firstcause.observer.domain import Domain
from firstcause.observer.domains import DOMAINS, page_script
from firstcause.observer.fingerprint import Fingerprint
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions
from firstcause.observer.signal import Detail, Signal, StackFrame

FLOOR = Path(str(floor.__file__)).parent
NAMES = sorted(path.stem for path in (FLOOR / "domains").glob("*.py") if path.stem != "__init__")
AnyDetail: Any = functools.reduce(operator.or_, Observer.details)
DetailDecoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyDetail)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"firstcause.observer.domains.{name}")


def own(where: ModuleType, base: type) -> list[type]:
    """The subclasses of `base` that a module itself defines."""
    found = [value for value in vars(where).values() if isinstance(value, type) and issubclass(value, base)]
    return [cls for cls in found if cls.__module__ == where.__name__]


def example(of: type[Detail]) -> Detail:
    """A detail with nothing left at its default."""
    examples: dict[Any, Any] = {
        str: "text",
        int: 7,
        float: 2.5,
        bool: True,
        tuple[str, ...]: ("one", "two"),
        Fingerprint: Fingerprint("button", "button", "Pay", rect=(1, 2, 3, 4)),
        tuple[Fingerprint, ...]: (Fingerprint("a", found=True),),
        tuple[float, ...]: (1.5, 2.5),
        tuple[page_script.FrameScript, ...]: (
            page_script.FrameScript("invoker", function="f", duration_ms=1.5),
        ),
    }
    fields = msgspec.structs.fields(of)
    return of(**{field.name: examples.get(field.type) or literal(field.type) for field in fields})


def literal(annotation: Any) -> str:
    (value, *_) = annotation.__args__
    assert isinstance(value, str)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_exactly_one_listed_domain(name: str) -> None:
    (domain,) = own(module(name), Domain)
    assert DOMAINS.count(domain) == 1


def test_every_listed_domain_has_its_file() -> None:
    assert sorted(domain.__module__.rpartition(".")[2] for domain in DOMAINS) == NAMES


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.__name__)
def test_a_domain_lists_the_details_of_its_file(domain: type[Domain]) -> None:
    assert set(domain.details) == set(own(importlib.import_module(domain.__module__), Detail))
    assert len(domain.details) == len(set(domain.details))


def test_the_observer_lists_every_detail_of_the_floor() -> None:
    python = [path for path in FLOOR.rglob("*.py") if path.stem != "__init__"]
    names = [".".join(path.relative_to(FLOOR).with_suffix("").parts) for path in python]
    modules = [importlib.import_module(f"firstcause.observer.{name}") for name in names]
    defined = {detail for where in modules for detail in own(where, Detail)} - {Detail}
    assert set(Observer.details) == defined


def test_tags_are_unique() -> None:
    tags = Counter(str(detail.__struct_config__.tag) for detail in Observer.details)
    assert [tag for tag, count in tags.items() if count > 1] == []


def test_every_part_of_the_page_script_is_used() -> None:
    parts = {path.name for path in (FLOOR / "page").glob("*.js")} - {"core.js", "tasks.js"}
    assert set(page_script.PARTS) == parts
    whole = page_script.page_script(CaptureOptions())
    for name in (*page_script.PARTS, "core.js"):
        assert (FLOOR / "page" / name).read_text("utf-8") in whole


def test_what_the_page_script_may_tell_is_what_its_domain_lists() -> None:
    assert set(page_script.Told.__args__) == set(page_script.PageScriptDomain.details)


@pytest.mark.parametrize("of", Observer.details, ids=lambda of: of.__struct_config__.tag)
def test_a_signal_survives_json(of: type[Detail]) -> None:
    signal = Signal(
        detail=example(of),
        browser="b1",
        session="S1",
        order=3,
        monotonic_s=12.5,
        wall_ms=1_700_000_000_000.5,
        target="T1",
        target_type="page",
        page="p1",
        frame="F1",
        request_id="r1",
        loader_id="L1",
        stack=(StackFrame("f", "http://a/x.js", 1, 2, "7"),),
        element="#pay",
        replayed=True,
    )
    encoded = msgspec.json.encode(signal)
    raw = msgspec.json.decode(encoded, type=dict[str, msgspec.Raw])
    detail = DetailDecoder.decode(raw.pop("detail"))
    rest = {name: msgspec.json.decode(value, type=kinds()[name]) for name, value in raw.items()}
    assert Signal(detail=detail, **rest) == signal
    assert detail.kind == signal.kind == of.__struct_config__.tag


@functools.cache
def kinds() -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(Signal)}


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.__name__)
def test_what_is_listened_to_is_said_in_one_block(domain: type[Domain]) -> None:
    methods = [listener.method for listener in domain(CaptureOptions()).listen()]
    assert len(methods) == len(set(methods))
    assert all(method.count(".") == 1 for method in methods)
