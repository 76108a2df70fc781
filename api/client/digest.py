"""A digest whose events are fetched page by page, and what of them is gone by then."""

from __future__ import annotations

from ...correlator.event import Event
from ..wire import Digest, Fetch, Fetched, Gap, encode
from .chain import check_page, check_total, events_of

Part = tuple[list[Event], Gap | None]


class OpenDigest:
    """Give `take` the answer to `request` until `done`. `life` and `changes` say when the digest came."""

    def __init__(self, frame: Digest, life: int, changes: int) -> None:
        self.life = life
        self.done = False
        self._frame = frame
        self._changes = changes
        self._after = frame.prev
        self._inline = events_of(frame, frame.prev)
        self._told = 0
        self._lost = 0

    def request(self, number: int) -> bytes:
        frame = self._frame
        return encode(
            Fetch(sub=frame.sub, id=number, channel=frame.channel, after=self._after, upto=frame.upto)
        )

    def take(self, page: Fetched, changes: int) -> Part:
        """The events of a page; those that the digest itself brought are there even if they are gone on the server."""
        frame, after = self._frame, self._after
        check_page(page, frame.channel, after, frame.upto)
        inline = [event for event in self._inline if event.seq <= page.upto]
        events = {event.seq: event for event in [*inline, *events_of(page, after)]}
        self._inline = self._inline[len(inline) :]
        self._told += len(events)
        self._after = page.upto
        end = after + page.lost
        lost = page.lost - sum(event.seq <= end for event in inline)
        self._lost += lost
        self.done = not page.more
        # Events are judged by the filter of now: after a change of it the count does not say how many there are.
        if self.done and not self._lost and changes == self._changes:
            check_total(frame, self._told)
        return [events[seq] for seq in sorted(events)], self._gap(after, end, lost)

    def abandon(self) -> Part:
        """What is left when the server has another log: the events that came with the digest."""
        frame = self._frame
        self.done = True
        lost = frame.count - self._told - len(self._inline)
        return self._inline, self._gap(self._after, frame.upto, lost)

    def _gap(self, prev: int, upto: int, lost: int) -> Gap | None:
        frame = self._frame
        if lost <= 0:
            return None
        return Gap(
            sub=frame.sub,
            channel=frame.channel,
            prev=prev,
            upto=upto,
            lost=lost,
            reason="evicted",
            cursor=frame.cursor,
        )
