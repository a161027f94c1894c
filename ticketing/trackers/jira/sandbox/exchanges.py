"""What was asked of the sandbox, and what it answered: for tests to look at."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_KEPT = 50_000


@dataclass(kw_only=True)
class Exchange:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    status: int | None = None  # None: not answered, or not yet
    fault: str = ""  # the effect that it ran into
    elapsed: float = 0  # seconds

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"null")


class ExchangeLog:
    """The latest, so that a sandbox may run for weeks."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, exchange: Exchange) -> None:
        with self._lock:
            self._exchanges.append(exchange)

    def all(self) -> list[Exchange]:
        with self._lock:
            return list(self._exchanges)

    def matching(self, match: str) -> list[Exchange]:
        """`match` as faults have it: "POST /issue$"."""
        method, _, path = match.partition(" ")
        pattern = re.compile(path)
        return [
            one for one in self.all() if method in ("*", one.method) and pattern.search(one.path)
        ]

    def clear(self) -> None:
        with self._lock:
            self._exchanges.clear()
