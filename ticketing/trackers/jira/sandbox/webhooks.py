"""Webhooks going out: signed, retried, and on demand doubled, late, out of order or lost."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import json
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ticketing.trackers.jira.sandbox import jql
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Event, Hook, Site

_RETRIED = frozenset({408, 409, 425, 429})
_TIMEOUT_SECONDS = 10


@dataclass(kw_only=True)
class Delivery:
    """One message to one webhook, as it goes over the wire."""

    identifier: str
    event: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    statuses: list[int | None] = field(default_factory=list)  # of each attempt; None: no answer

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Mischief:
    """What may befall a delivery; probabilities of each."""

    drop: float = 0
    double: float = 0
    late: float = 0
    seconds: float = 0.2  # how late at most


class Webhooks:
    """Sends from a thread of its own; `hold()` collects instead, for a test to deliver itself."""

    def __init__(self, site: Site, *, seed: int = 0) -> None:
        self.mischief = Mischief()
        self.retry_after: tuple[float, ...] = (0.1, 0.2, 0.4, 0.8, 1.6)  # Jira takes minutes
        self.sent: deque[Delivery] = deque(maxlen=10_000)
        self.held: list[Delivery] = []
        self._site = site
        self._random = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._is_holding = False
        self._queue: list[tuple[float, int, Delivery]] = []
        self._count = 0
        self._busy = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None
        site.listeners.append(self._hear)

    def register(
        self, url: str, *, secret: str = "", events: tuple[str, ...] = ("*",), query: str = ""
    ) -> Hook:
        """Like an administrator; a second time at the same address replaces the first."""
        with self._site.lock:
            hooks = self._site.hooks
            for known in [hook for hook in hooks.values() if hook.url == url]:
                del hooks[known.id]
            hook = Hook(
                id=self._site.next_id(),
                name="Sandbox",
                url=url,
                events=events,
                secret=secret,
                jql=query,
            )
            hooks[hook.id] = hook
        return hook

    def hold(self) -> None:
        """From now on `held` collects what would be sent."""
        self._is_holding = True

    def release(self) -> None:
        """Send what was held, in the order of `held`, and everything from now on."""
        self._is_holding = False
        held, self.held = self.held, []
        for delivery in held:
            self._put(delivery, 0)

    def wait_until_idle(self, seconds: float = 10) -> bool:
        """Until nothing waits and nothing is on its way."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, seconds)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(_TIMEOUT_SECONDS)
        self._thread, self._stopped = None, False

    def _hear(self, event: Event) -> None:
        for hook in self._site.hooks.values():
            if self._concerns(hook, event):
                self._schedule(_delivery(self._site, hook, event))

    def _concerns(self, hook: Hook, event: Event) -> bool:
        if not hook.enabled or not {"*", event.name} & set(hook.events):
            return False
        if not hook.jql or event.issue is None:
            return True
        return bool(jql.parse(hook.jql).run(self._site, [event.issue]))

    def _schedule(self, delivery: Delivery) -> None:
        if self._is_holding:
            self.held.append(delivery)
            return
        luck, mischief = self._random.random, self.mischief
        if luck() < mischief.drop:
            return
        for _ in range(2 if luck() < mischief.double else 1):
            is_late = luck() < mischief.late
            self._put(delivery, luck() * mischief.seconds if is_late else 0)

    def _put(self, delivery: Delivery, seconds: float) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._queue, (time.monotonic() + seconds, self._count, delivery))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="sandbox-jira-webhooks", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            self._send(delivery)
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._stopped:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._busy += 1
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(wait)
        return None

    def _send(self, delivery: Delivery) -> None:
        attempt = len(delivery.statuses)
        headers = {**delivery.headers, "X-Atlassian-Webhook-Retry": str(attempt)}
        status = _post(delivery.url, headers, delivery.body)
        delivery.statuses.append(status)
        if attempt == 0:
            self.sent.append(delivery)
        is_failed = status is None or status in _RETRIED or status >= 500
        if is_failed and attempt < len(self.retry_after):
            self._put(delivery, self.retry_after[attempt])


def _delivery(site: Site, hook: Hook, event: Event) -> Delivery:
    payload = {
        "timestamp": int(event.at.timestamp() * 1000),
        "webhookEvent": event.name,
        **event.payload,
    }
    if "comment" not in event.payload:
        payload["user"] = Shapes(site).person(event.by)
    body = json.dumps(payload, ensure_ascii=False).encode()
    identifier = uuid.uuid4().hex
    headers = {
        "Content-Type": "application/json;charset=UTF-8",
        "User-Agent": "Sandbox Jira Webhooks",
        "X-Atlassian-Webhook-Identifier": identifier,
        "X-Atlassian-Webhook-Flow": "Primary",
    }
    if hook.secret:
        digest = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hub-Signature"] = f"sha256={digest}"
    return Delivery(
        identifier=identifier, event=event.name, url=hook.url, headers=headers, body=body
    )


def _post(url: str, headers: Mapping[str, str], body: bytes) -> int | None:
    """The status of the answer; None when there was none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    target = parts.path or "/"
    try:
        connection.request(
            "POST", f"{target}?{parts.query}" if parts.query else target, body, dict(headers)
        )
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
