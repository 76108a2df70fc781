"""Questions to a page: what a selector finds, and what is wrong for people who can't see it or use a mouse."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ...observer.errors import UnknownPage
from ..access import Asker, Shared
from ..auth import Grant
from ..browsers import Observed
from ..errors import BadField, NotFound
from ..service import Service

router = APIRouter()


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    page: str = Field(
        min_length=1, max_length=40, description="Its name, as events and GET /v1/observe say it."
    )
    browser: str = Field(
        default="", max_length=40, description="Its browser, where several have a page of that name."
    )


class CheckSelector(_Asked):
    selector: str = Field(
        max_length=1000,
        description='CSS, or `role=button[name="Save"]`, `text=Save`, `label=Mail`, `placeholder=Mail`, `testid=save`. Quoted, '
        "a text is the whole text; otherwise a part of it in any case.",
    )


class CheckAccessibility(_Asked):
    full: bool = Field(
        default=False,
        description="All rules; that may keep the page busy for seconds. Otherwise the grave ones.",
    )


class FoundElement(BaseModel):
    selector: str
    words: str


class SelectorChecked(BaseModel):
    browser: str
    page: str
    selector: str
    state: Literal["ok", "missing", "ambiguous", "invalid"]
    count: int
    elements: list[FoundElement] = Field(description="The first three.")
    reason: str = Field(description="What is wrong with an invalid one.")


class Violation(BaseModel):
    rule: str
    impact: str
    count: int
    nodes: list[str] = Field(description="The first three.")
    help: str


class AccessibilityChecked(BaseModel):
    browser: str
    page: str
    violations: list[Violation]
    rules: int = Field(description="How many rules were looked at.")
    left: list[str] = Field(description="Rules that there was no time for.")


@router.post("/v1/check")
async def check_selector(grant: Asker, service: Shared, body: CheckSelector) -> SelectorChecked:
    """How many elements a selector finds on a page now, and the first three in words. Answered within 5 s, or refused."""
    grant.require("read")
    observed = _observed(grant, service, body)
    check = await observed.observation.check_selector(body.page, body.selector)
    return SelectorChecked(
        browser=observed.id,
        page=body.page,
        selector=service.settings.redactor.text(body.selector),
        state=check.state,
        count=check.count,
        elements=[FoundElement(selector=one.selector, words=one.words) for one in check.elements],
        reason=check.reason,
    )


@router.post("/v1/a11y")
async def check_accessibility(
    grant: Asker, service: Shared, body: CheckAccessibility
) -> AccessibilityChecked:
    """What axe finds on a page now; it keeps the page's main thread busy meanwhile. Answered within 5 s, or refused."""
    grant.require("control")
    observed = _observed(grant, service, body)
    looked = await observed.observation.check_accessibility(body.page, full=body.full)
    return AccessibilityChecked(
        browser=observed.id,
        page=body.page,
        violations=[
            Violation(rule=one.rule, impact=one.impact, count=one.count, nodes=[*one.nodes], help=one.help)
            for one in looked.violations
        ],
        rules=looked.rules,
        left=[*looked.left],
    )


def _observed(grant: Grant, service: Service, asked: _Asked) -> Observed:
    """The browser that the page is one of. Raises NotFound, UnknownPage and BadField."""
    visible = [one for one in service.browsers if not grant.projects or one.project in grant.projects]
    if asked.browser and asked.browser not in {one.id for one in visible}:
        raise NotFound(f"No browser {asked.browser} is observed.", "GET /v1/observe lists those that are.")
    having = [one for one in visible if asked.browser in ("", one.id) and asked.page in one.pages]
    match having:
        case [observed]:
            return observed
        case []:
            raise UnknownPage(f"No page {asked.page} is observed.", "GET /v1/observe lists those that are.")
        case _:
            names = " and ".join(one.id for one in having)
            raise BadField(f"page: {names} each have a page {asked.page}.", "Name the browser too.")
