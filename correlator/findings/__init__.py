"""How each kind of signal reads as a finding; a signal that is in none of these lists is evidence only."""

from __future__ import annotations

from . import browser, capture, network, pages, scripts
from .finding import Descriptions

DESCRIPTIONS: Descriptions = {
    **browser.DESCRIPTIONS,
    **capture.DESCRIPTIONS,
    **network.DESCRIPTIONS,
    **pages.DESCRIPTIONS,
    **scripts.DESCRIPTIONS,
}
