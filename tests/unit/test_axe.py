"""Where axe's script comes from, what is said when it is missing, and in which order its rules are looked at."""

from __future__ import annotations

import sys

import pytest

from firstcause.api import doctor
from firstcause.api.commands.options import capture_of, settings_of
from firstcause.observer import axe
from firstcause.observer.axe import GRAVE_RULES, SLOW_RULES, axe_script, groups
from firstcause.observer.errors import AxeMissing
from firstcause.observer.observer import Observer
from firstcause.observer.options import CaptureOptions


@pytest.fixture
def no_axe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axe, "PACKAGE", "no-such-package")
    monkeypatch.setattr(axe, "axe_script", axe_script.__wrapped__)


async def nowhere() -> str:
    return "ws://nowhere"


def test_the_script_is_read_and_its_package_is_never_imported() -> None:
    assert axe_script().startswith("/*! axe v")
    assert "axe_playwright_python" not in sys.modules


@pytest.mark.usefixtures("no_axe")
def test_a_missing_axe_says_how_to_install_it() -> None:
    with pytest.raises(AxeMissing) as missing:
        axe.axe_script()
    assert missing.value.code == "axe_missing"
    assert 'pip install "firstcause[a11y]"' in missing.value.hint
    told = doctor._accessibility()
    assert told.ok
    assert "firstcause[a11y]" in told.fix


def test_the_doctor_says_that_axe_is_there() -> None:
    told = doctor._accessibility()
    assert (told.ok, told.fix) == (True, "")


def test_only_who_asks_for_it_misses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise AxeMissing("Accessibility can't be checked: axe is not installed.")

    monkeypatch.setattr("firstcause.observer.domains.accessibility.axe_script", missing)
    Observer(nowhere, print, CaptureOptions())
    with pytest.raises(AxeMissing):
        Observer(nowhere, print, CaptureOptions(a11y=True))


def test_it_is_off_unless_the_setting_says_idle() -> None:
    assert not capture_of(settings_of()).a11y
    assert capture_of(settings_of(a11y="idle")).a11y
    assert not capture_of(settings_of(a11y="off")).a11y


def test_grave_rules_come_first_and_slow_ones_last_and_alone() -> None:
    (slow,) = SLOW_RULES
    others = [f"other-{number}" for number in range(5)]
    looked_at = list(groups([*others, slow, *GRAVE_RULES], 10))
    assert [rule for group in looked_at for rule in group] == [*GRAVE_RULES, *others, slow]
    assert [len(group) for group in looked_at] == [10, 10, 8, 1]
