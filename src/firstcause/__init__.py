"""firstcause: watches a live Chromium page and tells the first cause, not the last symptom."""

from __future__ import annotations

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
