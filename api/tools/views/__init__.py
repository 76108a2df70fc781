"""What `observe` can read on demand: one view a file."""

from __future__ import annotations

from . import a11y, chain, chains, event, events, output, page, pages, selectors, stats

VIEWS = (
    a11y.VIEW,
    chain.VIEW,
    chains.VIEW,
    event.VIEW,
    events.VIEW,
    output.VIEW,
    page.VIEW,
    pages.VIEW,
    selectors.VIEW,
    stats.VIEW,
)
