"""How much a key may ask: a fixed number of requests in each window of time.

The count is a row, so every process on every machine counts into the same one. It costs one
statement a request and nothing else; the row is replaced when the next window begins.
"""

from __future__ import annotations

import time
from typing import Protocol

from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from config.accounts.api_keys import KeyActor

_COUNT = """
    INSERT INTO accounts_keywindow (key_id, number, used) VALUES (%s, %s, 1)
    ON CONFLICT (key_id) DO UPDATE SET
        used = CASE WHEN accounts_keywindow.number = excluded.number
                    THEN accounts_keywindow.used + 1 ELSE 1 END,
        number = excluded.number
    RETURNING used
"""


class AnsweringView(Protocol):
    headers: dict[str, str]  # of the answer to come


class ApiKeyThrottle(SimpleRateThrottle):
    """Counts requests of keys; people's own pages are not counted.

    Every answer to a key says where it stands: `X-RateLimit-Limit`, `-Remaining`, `-Reset`
    and `-Period` (seconds) and `-Name`. The answer above the limit adds `Retry-After`.
    """

    scope = "api_key"
    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: AnsweringView) -> bool:
        if not isinstance(request.user, KeyActor) or self.rate is None:
            return True
        now = time.time()
        self.reset = self.duration - int(now) % self.duration
        used = self._count(request.user, int(now) // self.duration)
        view.headers |= {
            "X-RateLimit-Limit": str(self.num_requests),
            "X-RateLimit-Remaining": str(max(0, self.num_requests - used)),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Period": str(self.duration),
            "X-RateLimit-Name": self.scope,
        }
        return used <= self.num_requests

    def wait(self) -> int:
        return self.reset

    def _count(self, actor: KeyActor, window: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [actor.id.hex, window])
            used: int = cursor.fetchone()[0]
        return used
