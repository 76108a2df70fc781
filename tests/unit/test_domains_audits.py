"""Chrome's own issues of every kind, each with its reason, address and place."""

from __future__ import annotations

from typing import Any

import pytest

from firstcause.observer.domains.audits import Issue
from firstcause.observer.signal import StackFrame

from .wire import Wire

REQUEST = {"requestId": "r7", "url": "http://b/api"}


def issue(wire: Wire, code: str, session: str = "S1", **details: Any) -> None:
    name = code[0].lower() + code[1:] + "Details"
    wire.event("Audits.issueAdded", {"issue": {"code": code, "details": {name: details}}}, session)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (
            {
                "corsErrorStatus": {"corsError": "MissingAllowOriginHeader", "failedParameter": ""},
                "isWarning": False,
                "request": REQUEST,
            },
            Issue("CorsIssue", "MissingAllowOriginHeader", "http://b/api"),
        ),
        (
            {
                "corsErrorStatus": {
                    "corsError": "HeaderDisallowedByPreflightResponse",
                    "failedParameter": "x-own",
                },
                "isWarning": True,
                "request": REQUEST,
            },
            Issue("CorsIssue", "HeaderDisallowedByPreflightResponse x-own", "http://b/api", warning=True),
        ),
        (
            {"violatedDirective": "img-src", "isReportOnly": False, "blockedURL": "http://b/i.png"},
            Issue("ContentSecurityPolicyIssue", "img-src", "http://b/i.png"),
        ),
        (
            {"violatedDirective": "img-src", "isReportOnly": True, "blockedURL": "http://b/i.png"},
            Issue("ContentSecurityPolicyIssue", "img-src", "http://b/i.png", warning=True),
        ),
        (
            {
                "resolutionStatus": "MixedContentWarning",
                "insecureURL": "http://b/i.png",
                "mainResourceURL": "https://a/",
            },
            Issue("MixedContentIssue", "MixedContentWarning", "http://b/i.png", warning=True),
        ),
        (
            {
                "resolutionStatus": "MixedContentBlocked",
                "insecureURL": "http://b/x.js",
                "mainResourceURL": "https://a/",
            },
            Issue("MixedContentIssue", "MixedContentBlocked", "http://b/x.js"),
        ),
        (
            {
                "cookieExclusionReasons": ["ExcludeSameSiteNoneInsecure"],
                "cookieWarningReasons": ["WarnSameSiteNoneInsecure"],
                "cookieUrl": "http://a/api",
            },
            Issue("CookieIssue", "ExcludeSameSiteNoneInsecure", "http://a/api"),
        ),
        (
            {
                "cookieExclusionReasons": [],
                "cookieWarningReasons": ["WarnThirdPartyPhaseout", "WarnX"],
                "cookieUrl": "http://a/",
            },
            Issue("CookieIssue", "WarnThirdPartyPhaseout, WarnX", "http://a/", warning=True),
        ),
        (
            {"reason": "CoepFrameResourceNeedsCoepHeader", "request": REQUEST},
            Issue("BlockedByResponseIssue", "CoepFrameResourceNeedsCoepHeader", "http://b/api"),
        ),
        ({"type": "UnloadHandler"}, Issue("DeprecationIssue", "UnloadHandler")),
        (
            {"styleSheetLoadingIssueReason": "RequestFailed", "failedRequestInfo": REQUEST},
            Issue("StylesheetLoadingIssue", "RequestFailed", "http://b/api"),
        ),
        ({"isLimitedQuirksMode": False, "url": "http://a/"}, Issue("QuirksModeIssue", "", "http://a/")),
        ({"somethingNew": {"deep": [1]}}, Issue("FutureIssue")),
    ],
)
async def test_kinds_of_issues(wire: Wire, details: dict[str, Any], expected: Issue) -> None:
    issue(wire, expected.code, **details)
    assert wire.details == [expected]


async def test_an_issue_names_its_request_and_its_place(wire: Wire) -> None:
    place = {"scriptId": "7", "url": "http://a/main.js", "lineNumber": 53, "columnNumber": 0}
    issue(wire, "CorsIssue", request=REQUEST, sourceCodeLocation=place)
    assert wire.last().request_id == "r7"
    assert wire.last().stack == (StackFrame("", "http://a/main.js", 54, 1, "7"),)


async def test_an_issue_without_details(wire: Wire) -> None:
    wire.event("Audits.issueAdded", {"issue": {"code": "OddIssue", "details": {}}})
    assert wire.details == [Issue("OddIssue")]


async def test_generic_issues_come_twice_and_are_told_once(wire: Wire) -> None:
    wire.attach("S2")
    for session, node in (("S1", 5), ("S1", 5), ("S1", 6), ("S2", 5)):
        issue(wire, "GenericIssue", session, errorType="FormDuplicateIdForInputError", violatingNodeId=node)
    assert [s.session for s in wire.told()] == ["S1", "S1", "S2"]


async def test_other_issues_are_told_as_often_as_they_come(wire: Wire) -> None:
    for _ in range(2):
        issue(wire, "CorsIssue", request=REQUEST)
    assert len(wire.details) == 2


async def test_a_long_address_is_cut(wire: Wire) -> None:
    issue(
        wire,
        "ContentSecurityPolicyIssue",
        violatedDirective="img-src",
        blockedURL="data:image/png;base64," + "A" * 999,
    )
    assert len(wire.details[0].url) == 80
