"""Every detector is listed, complete, and has a story, a twin just below its trigger, and its unit tests."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from annotated_types import Ge, Gt

from firstcause.api.stories import read_story
from firstcause.correlator import detectors as folder
from firstcause.correlator.detecting import ThresholdRefused, options_of
from firstcause.correlator.detectors import DETECTORS
from firstcause.correlator.detectors.detector import TYPES, Detector
from firstcause.correlator.event import Severity
from firstcause.observer.signal import Detail

from ..links import STORIES

TESTS = Path(__file__).parent / "detectors"
FILES = sorted(path.stem for path in Path(str(folder.__file__)).parent.glob("*.py"))
WITH_STORY = [file.parent for file in sorted(STORIES.rglob("story.json"))]
AnyDetector = type[Detector[Any]]

each_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.id)


def module(name: str) -> ModuleType:
    return importlib.import_module(f"firstcause.correlator.detectors.{name}")


def defined_in(name: str) -> list[AnyDetector]:
    """The detectors that a file itself defines; what several share has no id."""
    where = module(name)
    found = [value for value in vars(where).values() if isinstance(value, type) and "id" in vars(value)]
    return [cls for cls in found if issubclass(cls, Detector) and cls.__module__ == where.__name__]


def test_every_file_with_a_detector_holds_exactly_one_that_is_listed_under_its_name() -> None:
    found = {name: defined_in(name) for name in FILES if name != "__init__"}
    names = {name: [cls.id for cls in classes] for name, classes in found.items() if classes}
    assert names == {name: [name] for name in names}
    assert {cls for classes in found.values() for cls in classes} == set(DETECTORS)


def test_the_list_is_sorted_and_names_each_once() -> None:
    ids = [detector.id for detector in DETECTORS]
    assert ids == sorted(set(ids))


@each_detector
def test_a_detector_says_what_it_is(detector: AnyDetector) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", detector.id)
    assert detector.channel in TYPES
    assert set(re.split(r" or |, ", detector.severity)) <= set(get_args(Severity))
    assert all(text.strip() for text in (detector.about, detector.trigger, detector.source))


@each_detector
def test_a_detector_has_what_it_needs_to_be_asked(detector: AnyDetector) -> None:
    asked = (detector.needs, detector.hears, detector.renames)
    ways = (detector.see, detector.hear, detector.rename)
    own = (Detector.see, Detector.hear, Detector.rename)
    assert [bool(wanted) for wanted in asked] == [
        way is not base for way, base in zip(ways, own, strict=True)
    ]
    assert all(issubclass(detail, Detail) for detail in (*detector.needs, *detector.renames))


@each_detector
def test_every_option_has_a_default_a_description_and_a_lower_bound(detector: AnyDetector) -> None:
    for name, option in detector.options_type.model_fields.items():
        assert not option.is_required(), name
        assert (option.description or "").strip(), name
        assert isinstance(option.default, bool | int | float), name
        bounded = any(isinstance(bound, Ge | Gt) for bound in option.metadata)
        assert bounded or isinstance(option.default, bool), name
    defaults = detector.options_type().model_dump()
    assert detector.options_type.model_validate(defaults).model_dump() == defaults


@each_detector
def test_a_detector_has_a_story_with_a_twin_and_unit_tests(detector: AnyDetector) -> None:
    story = read_story(STORIES / "detectors" / detector.id)
    assert story.detects == detector.id
    assert detector.id in {expected.kind for expected in story.expected}
    assert story.below is not None
    assert story.below.steps
    assert (TESTS / f"test_{detector.id}.py").is_file()


def test_every_story_and_unit_test_of_a_detector_has_its_detector() -> None:
    ids = {detector.id for detector in DETECTORS}
    assert {file.parent.name for file in STORIES.glob("detectors/*/story.json")} <= ids
    assert {file.stem.removeprefix("test_") for file in TESTS.glob("test_*.py")} <= ids


@pytest.mark.parametrize("story", WITH_STORY, ids=lambda path: path.relative_to(STORIES).as_posix())
def test_the_thresholds_of_a_story_are_accepted(story: Path) -> None:
    options_of(read_story(story).thresholds)


def test_thresholds_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ThresholdRefused, match="nobody is not a detector"):
        options_of({"nobody": {"within_s": 1.0}})
