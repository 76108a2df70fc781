"""Every CDP domain that is observed, in the order in which they are enabled; undone in reverse."""

from __future__ import annotations

from ..domain import Domain
from .audits import AuditsDomain
from .inspector import InspectorDomain
from .log import LogDomain
from .network import NetworkDomain
from .page import PageDomain
from .page_script import PageScriptDomain
from .performance import PerformanceDomain
from .runtime import RuntimeDomain
from .watchdog import WatchdogDomain

# Network first: it misses what happens before it is on. PageScript after Runtime: its binding needs that.
DOMAINS: tuple[type[Domain], ...] = (
    NetworkDomain,
    InspectorDomain,
    PageDomain,
    RuntimeDomain,
    PageScriptDomain,
    LogDomain,
    AuditsDomain,
    PerformanceDomain,
    WatchdogDomain,
)
