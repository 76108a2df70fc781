"""firstcause: watches a live Chromium page and tells the first cause, not the last symptom."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
