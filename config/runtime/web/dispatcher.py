"""Hands requests to the threads of their lane."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from waitress.task import ThreadedTaskDispatcher

from config.lib.request_handling import Lane
from config.runtime.web.channel import Channel


class Work(Protocol):
    def service(self) -> None: ...

    def cancel(self) -> None: ...


class LaneDispatcher:
    def __init__(self, threads: Mapping[Lane, int], *, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._lanes = {lane: ThreadedTaskDispatcher() for lane in Lane}
        for lane, dispatcher in self._lanes.items():
            dispatcher.set_thread_count(threads[lane])

    def add_task(self, channel: Channel) -> None:
        """Have the first request of the connection answered."""
        request = channel.requests[0]
        lane: Lane = Lane.LIGHT if request.error is not None else request.handling.lane
        if len(self._lanes[lane].queue) >= self._most_waiting and lane is not Lane.LIGHT:
            detail = "Too many requests of this kind are waiting. Try again shortly."
            request.refuse(503, detail, retry_after=10)
            lane = Lane.LIGHT
        self.run(lane, channel)

    def run(self, lane: Lane, work: Work) -> None:
        self._lanes[lane].add_task(work)

    def shutdown(self, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for dispatcher in self._lanes.values():
            dispatcher.set_thread_count(0)  # so that all end at once, and not one after the other
        for dispatcher in self._lanes.values():
            dispatcher.shutdown(timeout=max(0, deadline - time.monotonic()))
