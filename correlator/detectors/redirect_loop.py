"""A request that is sent in circles, told long before Chrome gives up after twenty redirects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import Field

from ...observer.domains.log import LogEntry
from ...observer.domains.network import RequestFailed, RequestRedirected
from ...observer.signal import Signal
from ..findings.finding import Finding
from ..kept import Kept
from ..templates import address_template
from . import detector
from .detector import Detector, Found, Scenes

KEPT_CHAINS = 1_000
SHOWN_ADDRESSES = 4
MAX_ADDRESS_CHARS = 60


class Options(detector.Options):
    hops: int = Field(default=5, ge=2, description="So many redirects by one host, each to something else.")


class RedirectChain:
    """The redirects of one request so far."""

    __slots__ = ("hops", "is_told", "redirects_of", "steps")

    def __init__(self) -> None:
        self.hops: list[str] = []
        self.redirects_of: Counter[str] = Counter()
        self.steps: set[tuple[str, str]] = set()
        self.is_told = False

    def add(self, detail: RequestRedirected) -> bool:
        """Whether it is the same step as an earlier one: from there on it is a circle."""
        step = detail.url, address_template(detail.to_url)
        repeats = step in self.steps
        self.steps.add(step)
        self.hops.append(detail.url)
        self.redirects_of[host_of(detail.url)] += 1
        return repeats


class RedirectLoop(Detector[Options]):
    id = "redirect_loop"
    channel = "network_errors"
    severity = "high"
    about = "A request is redirected in a loop"
    trigger = (
        "One address redirects to the same place for the second time in a chain, or one host redirects `hops` times; or Chrome gives "
        "up with ERR_TOO_MANY_REDIRECTS"
    )
    source = "Chromium gives up after 20; the early signs are a proposal"
    options_type = Options
    needs = (RequestRedirected,)
    renames = (RequestFailed, LogEntry)

    def __init__(self, options: Options, scene: Scenes) -> None:
        super().__init__(options, scene)
        self._chains: Kept[tuple[str, str], RedirectChain] = Kept(KEPT_CHAINS)

    def see(self, signal: Signal) -> Iterable[Found]:
        detail = signal.detail
        if not isinstance(detail, RequestRedirected):
            return ()
        chain = self._chains.setdefault((signal.browser, signal.request_id), RedirectChain())
        if chain.is_told:
            return ()
        repeats = chain.add(detail)
        if not repeats and chain.redirects_of[host_of(detail.url)] < self.options.hops:
            return ()
        chain.is_told = True
        return (Found(self._finding(signal, detail, chain, repeats=repeats), signal),)

    def rename(self, signal: Signal, finding: Finding) -> Finding | None:
        """That Chrome gave up is no news after the loop was told; any other end is."""
        if finding.kind != self.id:
            return None
        chain = self._chains.get((signal.browser, signal.request_id))
        return replace(finding, key=key_of(signal)) if chain is not None and chain.is_told else None

    def _finding(
        self, signal: Signal, detail: RequestRedirected, chain: RedirectChain, *, repeats: bool
    ) -> Finding:
        scene = self.scene(signal)
        first, now = scene.url(chain.hops[0]), scene.url(detail.url)
        what = f"{detail.method} {first}"
        if repeats:
            circle = chain.hops[chain.hops.index(detail.url) + 1 :]
            summary = f"{what} redirects in a loop: after {len(chain.hops)} redirects it is at {now} again"
        else:
            circle = chain.hops
            summary = f"{what} was redirected {len(chain.hops)} times and has not arrived, it is at {now}"
        return self.finding(
            "high",
            summary,
            key=key_of(signal),
            template=what,
            method=detail.method,
            url=first,
            status=detail.status,
            hops=len(chain.hops),
            through=[scene.url(url)[:MAX_ADDRESS_CHARS] for url in circle[:SHOWN_ADDRESSES]],
        )


def key_of(signal: Signal) -> str:
    return f"{signal.browser} {signal.request_id} redirects"


def host_of(url: str) -> str:
    return urlsplit(url).netloc
