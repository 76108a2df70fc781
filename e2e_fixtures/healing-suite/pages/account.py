"""The account page by the names of its parts."""

from __future__ import annotations

ORDERS = "a.nav-orders"
