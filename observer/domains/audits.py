"""Audits: the issues that Chrome finds itself (CORS, CSP, mixed content, cookies, blocked responses, deprecations …)."""

from __future__ import annotations

from typing import Any

import msgspec

from ..cdp.session import Session
from ..domain import FRAMES, Domain, Listener, Params
from ..options import CaptureOptions
from ..signal import Detail, StackFrame
from .network import shorten_url

KEPT_GENERIC = 1_000


class Issue(Detail, frozen=True, tag="issue"):
    """`reason` is Chrome's own word for what is wrong; `warning` issues were reported but nothing was blocked."""

    code: str
    reason: str = ""
    url: str = ""
    warning: bool = False


class AffectedRequest(Params):
    url: str = ""
    request_id: str = ""


class CorsStatus(Params):
    cors_error: str = ""
    failed_parameter: str = ""


class SourceLocation(Params):
    script_id: str = ""
    url: str = ""
    line_number: int = 0
    column_number: int = 0


class IssueDetails(Params):
    """The union of what the kinds of issues say about themselves; each fills its own part."""

    request: AffectedRequest | None = None
    failed_request_info: AffectedRequest | None = None
    source_code_location: SourceLocation | None = None
    cors_error_status: CorsStatus | None = None
    is_warning: bool = False
    is_report_only: bool = False
    violated_directive: str = ""
    blocked_url: str = msgspec.field(default="", name="blockedURL")
    insecure_url: str = msgspec.field(default="", name="insecureURL")
    resolution_status: str = ""
    cookie_exclusion_reasons: list[str] = []
    cookie_warning_reasons: list[str] = []
    cookie_url: str = ""
    reason: str = ""
    style_sheet_loading_issue_reason: str = ""
    type: str = ""
    error_type: str = ""
    violating_node_id: int = 0
    url: str = ""


class InspectorIssue(Params):
    code: str
    details: dict[str, IssueDetails] = {}


class IssueAdded(Params):
    issue: InspectorIssue


class AuditsDomain(Domain):
    roles = FRAMES
    details = (Issue,)

    def __init__(self, options: CaptureOptions) -> None:
        super().__init__(options)
        self._generic_told: dict[str, set[tuple[str, int]]] = {}

    def listen(self) -> list[Listener[Any]]:
        return [Listener("Audits.issueAdded", IssueAdded, self._added)]

    def enable(self, session: Session) -> None:
        session.post("Audits.enable")

    def undo(self, session: Session) -> None:
        session.post("Audits.disable")

    def forget(self, session: Session) -> None:
        self._generic_told.pop(session.id, None)

    def _added(self, session: Session, params: IssueAdded) -> None:
        code = params.issue.code
        details = next(iter(params.issue.details.values()), IssueDetails())
        if details.error_type:
            told = self._generic_told.setdefault(session.id, set())
            key = (details.error_type, details.violating_node_id)
            if key in told:  # Chrome sends generic issues twice
                return
            told.add(key)
            if len(told) > KEPT_GENERIC:
                told.clear()
        request = details.request or details.failed_request_info or AffectedRequest()
        session.emit(
            Issue(
                code=code,
                reason=reason_of(details),
                url=shorten_url(
                    details.blocked_url
                    or details.insecure_url
                    or request.url
                    or details.cookie_url
                    or details.url
                ),
                warning=is_warning(details),
            ),
            request_id=request.request_id,
            stack=stack_of_location(details.source_code_location),
        )


def stack_of_location(at: SourceLocation | None) -> tuple[StackFrame, ...]:
    if at is None:
        return ()
    return (StackFrame("", at.url, at.line_number + 1, at.column_number + 1, at.script_id),)


def reason_of(details: IssueDetails) -> str:
    if cors := details.cors_error_status:
        return f"{cors.cors_error} {cors.failed_parameter}".strip()
    reasons = details.cookie_exclusion_reasons or details.cookie_warning_reasons
    return (
        details.violated_directive
        or details.reason
        or details.style_sheet_loading_issue_reason
        or details.error_type
        or details.resolution_status
        or ", ".join(reasons)
        or details.type
    )


def is_warning(details: IssueDetails) -> bool:
    only_warned = bool(details.cookie_warning_reasons) and not details.cookie_exclusion_reasons
    return (
        details.is_warning
        or details.is_report_only
        or details.resolution_status == "MixedContentWarning"
        or only_warned
    )
