"""Every CDP domain that is observed, in the order in which they are enabled; undone in reverse."""

from __future__ import annotations

from ..domain import Domain
from .accessibility import AccessibilityDomain
from .audits import AuditsDomain
from .inspector import InspectorDomain
from .log import LogDomain
from .network import NetworkDomain
from .page import PageDomain
from .page_script import PageScriptDomain
from .performance import PerformanceDomain
from .runtime import RuntimeDomain
from .scripts import ScriptsDomain
from .tasks import TasksDomain
from .watchdog import WatchdogDomain

# Network early: it misses what happens before it is on. Tasks before it: whose a request is comes just before the request. Runtime
# before both: only then do pages that are there already get a binding, and PageScript's world its own.
DOMAINS: tuple[type[Domain], ...] = (
    RuntimeDomain,
    TasksDomain,
    NetworkDomain,
    InspectorDomain,
    PageDomain,
    PageScriptDomain,
    LogDomain,
    AuditsDomain,
    PerformanceDomain,
    AccessibilityDomain,
    WatchdogDomain,
    ScriptsDomain,
)
