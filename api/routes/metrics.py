"""Figures for Prometheus, read from the running parts at every scrape: counting costs the stream nothing."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from ..access import Asker, Shared
from ..pressure import rss_bytes
from ..service import Service

router = APIRouter()


class Figures(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        yield from self._told()
        yield from self._readers()
        yield from self._journal()
        yield from self._memory()
        yield from self._capture()

    def _told(self) -> Iterator[Metric]:
        hub = self._service.hub
        events = CounterMetricFamily("firstcause_events", "Events told.", labels=["channel", "kind"])
        for (channel, kind), count in hub.events.items():
            events.add_metric([channel, kind], count)
        yield events
        yield CounterMetricFamily(
            "firstcause_notifications", "Notifications to subscriptions.", value=hub.tallies["notifications"]
        )
        yield CounterMetricFamily(
            "firstcause_digests", "Notifications that only counted some events.", value=hub.tallies["digests"]
        )
        yield CounterMetricFamily(
            "firstcause_gaps", "Notices of events that are not kept any more.", value=hub.tallies["gaps"]
        )
        yield CounterMetricFamily(
            "firstcause_lost_events", "Events in those gaps.", value=hub.tallies["lost"]
        )

    def _readers(self) -> Iterator[Metric]:
        connected = self._service.connected
        readers = GaugeMetricFamily("firstcause_subscribers", "Connected clients.", labels=["transport"])
        for transport, count in self._service.readers.items():
            readers.add_metric([transport], count)
        yield readers
        lags = [subscription.lag for one in connected for subscription in one.pump.subscriptions]
        yield GaugeMetricFamily(
            "firstcause_lag_events",
            "Events that the slowest subscription has not been told.",
            value=max(lags, default=0),
        )

    def _journal(self) -> Iterator[Metric]:
        keeper = self._service.hub.keeper
        yield GaugeMetricFamily(
            "firstcause_journal_healthy", "1 while events are kept.", value=int(keeper.healthy)
        )
        commits = self._service.commits
        yield HistogramMetricFamily(
            "firstcause_journal_commit_seconds",
            "How long keeping each group of events took.",
            buckets=commits.buckets,
            sum_value=commits.total_s,
        )
        yield GaugeMetricFamily(
            "firstcause_journal_worst_commit_seconds", "The longest of them.", value=keeper.commits.worst_s
        )

    def _memory(self) -> Iterator[Metric]:
        pressure = self._service.pressure
        yield GaugeMetricFamily(
            "firstcause_ring_bytes", "Memory of kept events.", value=self._service.hub.size_bytes
        )
        yield GaugeMetricFamily(
            "firstcause_memory_budget_bytes", "What it may be.", value=pressure.budget_bytes
        )
        yield GaugeMetricFamily("firstcause_memory_pressure_level", "0, 70, 90 or 95.", value=pressure.level)
        steps = CounterMetricFamily("firstcause_memory_steps", "Changes of the level.", labels=["level"])
        for level, count in pressure.steps.items():
            steps.add_metric([str(level)], count)
        yield steps
        yield GaugeMetricFamily("firstcause_rss_bytes", "Memory of the process.", value=rss_bytes())

    def _capture(self) -> Iterator[Metric]:
        pages = GaugeMetricFamily("firstcause_pages", "Observed pages.", labels=["browser"])
        connected = GaugeMetricFamily(
            "firstcause_browser_connected", "1 while a browser is connected.", labels=["browser"]
        )
        signals = CounterMetricFamily("firstcause_signals", "Facts that were recorded.", labels=["browser"])
        for observed in self._service.browsers:
            pages.add_metric([observed.id], len(observed.pages))
            connected.add_metric([observed.id], int(observed.observation.observer.connected))
            signals.add_metric([observed.id], observed.observation.signals)
        yield pages
        yield connected
        yield signals


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(grant: Asker, service: Shared) -> Response:
    """Figures in the text format of Prometheus."""
    grant.require("read")
    grant.require_all_projects()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(service))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
