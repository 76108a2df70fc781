"""The selectors that pages watch: list them with what they find, watch others."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ..access import Asker, Shared
from ..auth import Grant
from ..browsers import Observed
from ..errors import NotFound, TooMany
from ..service import Service

router = APIRouter()

MAX_WATCHED = 100  # as many as the settings take
Selector = Annotated[str, Field(min_length=1, max_length=512)]
Selectors = Annotated[list[Selector], Field(max_length=MAX_WATCHED)]


class ChangeWatched(BaseModel):
    model_config = ConfigDict(extra="forbid")

    browser: str = Field(default="", max_length=40, description="One browser alone; all of them otherwise.")
    watch: Selectors = Field(default=[], description="CSS selectors to watch as well.")
    unwatch: Selectors = Field(default=[], description="Selectors to watch no more.")


class SelectorFound(BaseModel):
    selector: str
    state: str = Field(description="healthy, missing, ambiguous, stale, blocked or invalid.")
    count: int


class WatchedByBrowser(BaseModel):
    browser: str
    project: str
    watched: list[str]
    pages: dict[str, list[SelectorFound]] = Field(description="What the pages found last, by page name.")


class WatchedList(BaseModel):
    browsers: list[WatchedByBrowser]


@router.get("/v1/selectors")
async def watched(grant: Asker, service: Shared) -> WatchedList:
    """The selectors that are watched, and what they find on each page."""
    grant.require("read")
    return _listed(grant, service)


@router.post("/v1/selectors")
async def watch(grant: Asker, service: Shared, body: ChangeWatched) -> WatchedList:
    """Watch other selectors from now on, on the pages that are there and on those that come; what is watched then."""
    grant.require("control")
    changes = [(observed, _changed(observed, body)) for observed in _asked(grant, service, body.browser)]
    for observed, selectors in changes:
        observed.observation.watch_selectors(selectors)
    return _listed(grant, service)


def _asked(grant: Grant, service: Service, browser: str) -> list[Observed]:
    found = [one for one in _seen(grant, service) if browser in {"", one.id}]
    if browser and not found:
        raise NotFound(f"No browser {browser} is observed.", "GET /v1/observe lists those that are.")
    return found


def _changed(observed: Observed, body: ChangeWatched) -> list[str]:
    before = observed.observation.watched.selectors
    selectors = [one for one in dict.fromkeys((*before, *body.watch)) if one not in body.unwatch]
    if len(selectors) > MAX_WATCHED:
        raise TooMany(
            f"{observed.id} would watch {len(selectors)} selectors, and at most {MAX_WATCHED} can be.",
            "Name some to `unwatch`.",
        )
    return selectors


def _seen(grant: Grant, service: Service) -> list[Observed]:
    return [one for one in service.browsers if not grant.projects or one.project in grant.projects]


def _listed(grant: Grant, service: Service) -> WatchedList:
    return WatchedList(browsers=[_told(one, service) for one in _seen(grant, service)])


def _told(observed: Observed, service: Service) -> WatchedByBrowser:
    watched, text = observed.observation.watched, service.settings.redactor.text
    return WatchedByBrowser(
        browser=observed.id,
        project=observed.project,
        watched=[text(selector) for selector in watched.selectors],
        pages={
            page: [
                SelectorFound(selector=text(one.selector), state=one.state, count=one.count)
                for one in watched.on(page)
            ]
            for page in observed.pages
        },
    )
