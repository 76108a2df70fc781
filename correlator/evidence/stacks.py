"""What two stacks say of each other: whether an effect runs on behalf of the call that made a request."""

from __future__ import annotations

from collections.abc import Iterator

from ...observer.signal import StackFrame
from ..flow import Flow
from ..nodes import Effect, Request, site_of

NOWHERE = StackFrame()
MAX_FOUND = 20


def called_for(effect: Effect, flow: Flow) -> Iterator[tuple[Request, bool]]:
    """The requests that the effect's own code made, the latest first, and whether the call itself is in the stack.

    An async function that goes on after its request is alone on the stack, at another place than its call; with async stacks the
    call is there too. A function at one and the same place in both is what called both, a framework's loop for instance.
    """
    signal = effect.signal
    asynchronous = {site_of(frame) for frame in signal.async_stack}
    outermost = signal.stack[-1] if signal.stack else NOWHERE
    site, alone = site_of(outermost), len(signal.stack) == 1
    function = (outermost.url, outermost.function)
    found = 0
    for request in flow.latest_requests(signal):
        if request is effect.node:
            continue
        if asynchronous and request.site in asynchronous:
            yield request, True
        elif all(function) and request.is_called_by(function) and (alone or not request.is_called_at(site)):
            yield request, False
        else:
            continue
        found += 1
        if found == MAX_FOUND:
            return


def is_called_for(effect: Effect, request: Request, flow: Flow) -> bool:
    return any(one is request for one, _ in called_for(effect, flow))
