"""Rate limits: a bucket of requests that fills steadily, as Jira's does."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil

from ticketing.trackers.jira.sandbox.calls import Answer


class RateLimit:
    """At most `rate` requests a second, with bursts of as many; no rate is no limit."""

    def __init__(self, rate: float | None = None, *, burst: int | None = None) -> None:
        self.is_dated = False  # Retry-After as a date instead of seconds
        self.refused = 0
        self._lock = threading.Lock()
        self.change(rate, burst=burst)

    def change(self, rate: float | None, *, burst: int | None = None) -> None:
        """Another rate from now on, with a full bucket."""
        with self._lock:
            self.rate = rate
            self.burst = burst or max(1, ceil(rate or 1))
            self._level = float(self.burst)
            self._filled_at = time.monotonic()

    def take(self) -> float:
        """Zero when the request may pass, else the seconds to wait."""
        if not self.rate:
            return 0
        with self._lock:
            now = time.monotonic()
            self._level = min(self.burst, self._level + (now - self._filled_at) * self.rate)
            self._filled_at = now
            if self._level >= 1:
                self._level -= 1
                return 0
            self.refused += 1
            return (1 - self._level) / self.rate

    def refusal(self, wait: float, *, is_cloud: bool) -> Answer:
        seconds = max(1, ceil(wait))
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        headers = {
            "Retry-After": format_datetime(at, usegmt=True) if self.is_dated else str(seconds),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Limit": str(self.burst),
        }
        if is_cloud:
            headers |= {
                "X-RateLimit-Reset": at.isoformat(timespec="minutes").replace("+00:00", "Z"),
                "X-RateLimit-NearLimit": "true",
                "RateLimit-Reason": "jira-burst-based",
            }
        else:
            headers |= {"X-RateLimit-Interval-Seconds": "1", "X-RateLimit-FillRate": str(self.rate)}
        return Answer(
            status=429,
            body=b"Rate limit exceeded.",
            headers=headers,
            content_type="text/plain;charset=UTF-8",
        )

    def headers(self, *, is_cloud: bool) -> dict[str, str]:
        """On every answer: Data Center says `retry-after: 0` too."""
        if not self.rate:
            return {}
        headers = {
            "X-RateLimit-Limit": str(self.burst),
            "X-RateLimit-Remaining": str(int(self._level)),
        }
        if not is_cloud:
            headers |= {
                "X-RateLimit-Interval-Seconds": "1",
                "X-RateLimit-FillRate": str(self.rate),
                "Retry-After": "0",
            }
        return headers
