"""Every detector there is, by its id."""

from __future__ import annotations

from typing import Any

from .a11y_violation import A11yViolation
from .blank_page import BlankPage
from .chunk_load_failed import ChunkLoadFailed
from .consecutive_http import ConsecutiveHttp
from .console_flood import ConsoleFlood
from .cpu_pegged import CpuPegged
from .dead_click import DeadClick
from .detached_dom import DetachedDom
from .detector import Detector
from .dialog_open import DialogOpen
from .duplicate_request import DuplicateRequest
from .error_click import ErrorClick
from .error_spike import ErrorSpike
from .http1_overhead import Http1Overhead
from .hydration_mismatch import HydrationMismatch
from .large_payload import LargePayload
from .latency_regression import LatencyRegression
from .layout_shift import LayoutShifts
from .layout_thrash import LayoutThrash
from .listener_leak import ListenerLeak
from .long_task import LongTask
from .memory_growth import MemoryGrowth
from .mutation_storm import MutationStorm
from .n_plus_one_api import NPlusOneApi
from .page_hang import PageHanging
from .paint_delay import PaintDelay
from .polling_storm import PollingStorm
from .rage_click import RageClick
from .redirect_loop import RedirectLoop
from .reload_loop import ReloadLoop
from .render_blocking import RenderBlocking
from .render_loop import RenderLoop
from .repeated_404 import Repeated404
from .request_aborted import RequestAborted
from .request_stalled import RequestStalled
from .retry_storm import RetryStorm
from .router_loop import RouterLoop
from .selector_ambiguous import SelectorAmbiguous
from .selector_blocked import SelectorBlocked
from .selector_missing import SelectorMissing
from .selector_stale import SelectorStale
from .slow_fcp import SlowFcp
from .slow_interaction import SlowInteraction
from .slow_lcp import SlowLcp
from .slow_response import SlowResponse
from .slow_ttfb import SlowTtfb
from .uncompressed_asset import UncompressedAsset
from .ws_reconnect_storm import WsReconnectStorm

DETECTORS: tuple[type[Detector[Any]], ...] = (
    A11yViolation,
    BlankPage,
    ChunkLoadFailed,
    ConsecutiveHttp,
    ConsoleFlood,
    CpuPegged,
    DeadClick,
    DetachedDom,
    DialogOpen,
    DuplicateRequest,
    ErrorClick,
    ErrorSpike,
    Http1Overhead,
    HydrationMismatch,
    LargePayload,
    LatencyRegression,
    LayoutShifts,
    LayoutThrash,
    ListenerLeak,
    LongTask,
    MemoryGrowth,
    MutationStorm,
    NPlusOneApi,
    PageHanging,
    PaintDelay,
    PollingStorm,
    RageClick,
    RedirectLoop,
    ReloadLoop,
    RenderBlocking,
    RenderLoop,
    Repeated404,
    RequestAborted,
    RequestStalled,
    RetryStorm,
    RouterLoop,
    SelectorAmbiguous,
    SelectorBlocked,
    SelectorMissing,
    SelectorStale,
    SlowFcp,
    SlowInteraction,
    SlowLcp,
    SlowResponse,
    SlowTtfb,
    UncompressedAsset,
    WsReconnectStorm,
)
