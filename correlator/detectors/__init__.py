"""Every detector there is, by its id."""

from __future__ import annotations

from typing import Any

from .detector import Detector

DETECTORS: tuple[type[Detector[Any]], ...] = ()
