"""The kinds of told failures that detectors hear of, by what broke."""

from __future__ import annotations

UNCAUGHT = (
    "uncaught_exception",
    "unhandled_rejection",
    "chunk_load_failed",
    "hydration_mismatch",
    "render_loop",
)
LOGGED = ("console_error", "console_assert")
NOT_LOADED = (
    "cors_blocked",
    "csp_violation",
    "http_error",
    "mixed_content",
    "redirect_loop",
    "request_failed",
    "request_timeout",
    "resource_failed",
    "response_blocked",
)
