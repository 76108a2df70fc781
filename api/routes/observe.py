"""The browsers that are observed: list, attach, launch, detach."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ...correlator.redact import redact_url
from ...observer.options import CaptureOptions, Level, TargetMode
from ...observer.sources.launch import checked_url
from ..access import Asker, Shared
from ..auth import Grant
from ..browsers import Observed
from ..service import Service
from ..settings import PROJECT_PATTERN

router = APIRouter()

Project = Annotated[str, Field(pattern=f"^(?:{PROJECT_PATTERN})?$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Capture(_Request):
    project: Project = ""
    level: Level | None = None
    targets: TargetMode | None = None
    hang_stacks: bool | None = None
    selectors: list[Annotated[str, Field(min_length=1, max_length=512)]] = Field(default=[], max_length=50)


class Attach(_Capture):
    """Observe a browser that runs already."""

    action: Literal["attach"]
    cdp: str = Field(min_length=1, max_length=2000, description="Its DevTools port or address.")


class Launch(_Capture):
    """Launch a browser with a page."""

    action: Literal["launch"]
    url: str = Field(min_length=1, max_length=8000)
    headed: bool = False


class Detach(_Request):
    """Leave a browser as it was; one that was launched here ends."""

    action: Literal["detach"]
    id: str = Field(max_length=40)


class BrowserInfo(BaseModel):
    id: str
    how: Literal["attached", "launched"]
    address: str
    project: str
    connected: bool
    pages: dict[str, str] = Field(description="Addresses by page name, without secrets.")


class BrowserList(BaseModel):
    browsers: list[BrowserInfo]


@router.get("/v1/observe")
async def listed(grant: Asker, service: Shared) -> BrowserList:
    """The browsers that are observed, with their pages."""
    grant.require("read")
    return _listed(grant, service)


@router.post("/v1/observe")
async def observe(
    grant: Asker, service: Shared, body: Annotated[Attach | Launch | Detach, Field(discriminator="action")]
) -> BrowserList:
    """Attach to a browser, launch one, or let one go; the browsers that are observed then."""
    grant.require("control")
    match body:
        case Detach():
            for observed in service.browsers:
                if observed.id == body.id:
                    grant.require_project(observed.project)
            await service.browsers.detach(body.id)
        case Attach() | Launch():
            project = body.project or service.settings.project
            grant.require_project(project)
            service.hub.project(project)  # refused here if there is no place for one more
            options = _options(service, body)
            if isinstance(body, Attach):
                await service.browsers.attach(body.cdp, options, project)
            else:
                await service.browsers.launch(checked_url(body.url), options, project, headed=body.headed)
    return _listed(grant, service)


def _options(service: Service, body: _Capture) -> CaptureOptions:
    settings = service.settings
    return CaptureOptions(
        body.level or settings.level,
        body.targets or settings.targets,
        settings.hang_stacks if body.hang_stacks is None else body.hang_stacks,
        (*settings.selectors, *body.selectors),
        markers=settings.markers,
        async_stacks=settings.evidence == "deep",
        a11y=settings.a11y == "idle",
    )


def _listed(grant: Grant, service: Service) -> BrowserList:
    seen = [
        observed for observed in service.browsers if not grant.projects or observed.project in grant.projects
    ]
    return BrowserList(browsers=[_info(observed) for observed in seen])


def _info(observed: Observed) -> BrowserInfo:
    return BrowserInfo(
        id=observed.id,
        how=observed.how,
        address=redact_url(observed.address),
        project=observed.project,
        connected=observed.observation.observer.connected,
        pages={page: redact_url(url) for page, url in observed.pages.items()},
    )
