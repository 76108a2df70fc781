"""Which page a failure is about: the one whose locator, frame or expectation the traceback went through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import FrameType
from typing import Any, Final, NamedTuple

# From Playwright's own objects to the page's, by what each of them is.
WAYS: Final = (
    (),
    ("_page",),
    ("_frame", "_page"),
    ("_actual_locator", "_frame", "_page"),
    ("_actual_page",),
    ("_main_frame", "_page"),
)


class FailingPage(NamedTuple):
    """As the observer can find it: number `place` of the `alike` pages of the browser that are open at one address."""

    owners: tuple[object, ...]
    url: str
    place: int
    alike: int


def failing_page(
    frames: Sequence[FrameType], fixtures: Mapping[str, Any], opened: Sequence[Any]
) -> FailingPage | None:
    """`frames` are the traceback's, the innermost last; `opened` all pages, as Playwright's own objects. None if it is not sure."""
    page = _in_playwright(frames) or _only_one(frames, fixtures)
    return _described(page, opened) if page is not None else None


def _in_playwright(frames: Sequence[FrameType]) -> Any:
    for frame in reversed(frames):
        if str(frame.f_globals.get("__name__", "")).startswith("playwright."):
            page = page_of(frame.f_locals.get("self"))
            if page is not None:
                return page
    return None


def _only_one(frames: Sequence[FrameType], fixtures: Mapping[str, Any]) -> Any:
    """The failure came of no call of Playwright's, so it is about what the innermost frame holds, if that is one page only."""
    for frame in reversed(frames):
        pages = _distinct(frame.f_locals.values())
        if pages:
            return pages[0] if len(pages) == 1 else None
    pages = _distinct(fixtures.values())
    return pages[0] if len(pages) == 1 else page_of(fixtures.get("page"))


def _distinct(values: Iterable[Any]) -> list[Any]:
    pages = [page for value in values if (page := page_of(value)) is not None]
    return list({id(page): page for page in pages}.values())


def page_of(value: Any) -> Any:
    """Playwright's own object of the page that something of Playwright's belongs to."""
    if not type(value).__module__.startswith("playwright."):
        return None
    impl = getattr(value, "_impl_obj", value)
    for way in WAYS:
        found = impl
        for name in way:
            found = getattr(found, name, None)
        if type(found).__name__ == "Page":
            return found
    return None


def _described(page: Any, opened: Sequence[Any]) -> FailingPage:
    context = getattr(page, "_browser_context", None)
    browser = getattr(context, "_browser", None)
    url = str(page.url)
    alike = [one for one in opened if _address(one) == _address(page) and _browser_of(one) is browser]
    place = next((number for number, one in enumerate(alike) if one is page), 0)
    owners = tuple(owner for owner in (browser, context) if owner is not None)
    return FailingPage(owners, url, place, len(alike))


def _address(page: Any) -> str:
    """A page's hash changes without anybody being told."""
    return str(page.url).partition("#")[0]


def _browser_of(page: Any) -> Any:
    return getattr(getattr(page, "_browser_context", None), "_browser", None)
