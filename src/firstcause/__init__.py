"""firstcause: watches a live Chromium page and tells the first cause, not the last symptom."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api.client.stream import Stream, connect
    from .api.client.sync import SyncStream, connect_sync
    from .api.observation import Observation
    from .correlator.event import Cause, Event
    from .observer.errors import FirstcauseError
    from .observer.options import CaptureOptions
    from .observer.sources.attach import ws_url_of, ws_url_of_sync
    from .observer.sources.launch import launch

__version__ = "0.1.0"

__all__ = [
    "CaptureOptions",
    "Cause",
    "Event",
    "FirstcauseError",
    "Observation",
    "Stream",
    "SyncStream",
    "__version__",
    "connect",
    "connect_sync",
    "launch",
    "ws_url_of",
    "ws_url_of_sync",
]

# Imported when they are asked for: pytest loads this package in every project where it is installed, for its plugin's option.
_HOMES = {
    "CaptureOptions": "observer.options",
    "Cause": "correlator.event",
    "Event": "correlator.event",
    "FirstcauseError": "observer.errors",
    "Observation": "api.observation",
    "Stream": "api.client.stream",
    "SyncStream": "api.client.sync",
    "connect": "api.client.stream",
    "connect_sync": "api.client.sync",
    "launch": "observer.sources.launch",
    "ws_url_of": "observer.sources.attach",
    "ws_url_of_sync": "observer.sources.attach",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    return value
