"""Keeps the web server and a queue cluster running, each a child process group of ours."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from config.lib.workers import cluster_name
from config.runtime import heartbeats

log = structlog.stdlib.get_logger(__name__)

GRACE_SECONDS = 15
LOOK_EVERY_SECONDS = 0.2
READ_HEARTBEATS_EVERY_SECONDS = 5
MAX_RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 300

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Exit(IntEnum):
    """What `up` and `work` exit with."""

    REQUESTED = 0
    GAVE_UP = 1
    KILLED = 3  # something did not stop in time


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """A command and all that it starts."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stdout: int | None = None  # as for Popen; None: ours
    started_at: datetime = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.started_at = timezone.now()
        self._process = subprocess.Popen(  # noqa: S603  our own commands
            self.command,
            env=self.environment,
            stdout=self.stdout,
            start_new_session=True,
            # Only one system call between fork and exec, and no other thread holds a lock.
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_exited(self) -> bool:
        return self._process.poll() is not None

    def ask_to_stop(self) -> None:
        """Tell the leader alone: a signal to its whole group would orphan the workers."""
        self._process.terminate()

    def kill(self) -> None:
        """End whatever is left of the group; harmless when nothing is."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Supervisor:
    """Runs until asked to stop, or until there is no point in going on.

    Without the web server we end, and whoever started us starts us anew. A cluster that ends
    or gives no sign of life is healed here, because it cannot heal itself: one killed worker
    may die holding the lock that all the others wait for.
    """

    def __init__(
        self,
        *,
        web: Child | None,
        queue: Child | None,
        on_start: Callable[[], None],
        beside: Child | None = None,
    ) -> None:
        self._web = web
        self._queue = queue
        self._beside = beside  # runs already; stops with the others, which go on without it
        self._on_start = on_start
        self._stop_requested = False
        self._restarts: deque[float] = deque()
        self._start_queue_at: float | None = None
        self._read_heartbeats_at = 0.0

    def run(self) -> Exit:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        for child in (self._web, self._queue):
            if child is not None:
                child.start()
        self._on_start()
        result = None
        while result is None:
            time.sleep(LOOK_EVERY_SECONDS)
            result = Exit.REQUESTED if self._stop_requested else self._look()
        return self._stop(result)

    @property
    def is_stopping(self) -> bool:
        """Whether waiting for a child to get ready has become pointless."""
        return self._stop_requested or (self._web is not None and self._web.has_exited)

    def _ask_to_stop(self, *_: object) -> None:
        self._stop_requested = True

    def _children(self) -> list[Child]:
        return [child for child in (self._beside, self._web, self._queue) if child is not None]

    def _look(self) -> Exit | None:
        if self._web is not None and self._web.has_exited:
            log.error("The web server has ended")
            return Exit.GAVE_UP
        if self._queue is None:
            return None
        if self._start_queue_at is not None:
            self._start_queue_when_due(self._queue)
            return None
        if self._queue.has_exited:
            log.error("The queue has ended")
            return self._heal(self._queue)
        if self._is_stuck(self._queue):
            log.error("The queue is stuck: no worker has taken a task for too long")
            return self._heal(self._queue)
        return None

    def _is_stuck(self, queue: Child) -> bool:
        if time.monotonic() < self._read_heartbeats_at:
            return False
        self._read_heartbeats_at = time.monotonic() + READ_HEARTBEATS_EVERY_SECONDS
        try:
            last = heartbeats.last_of(cluster_name(queue.pid))
        except DatabaseError:
            connection.close()  # the next look opens a new one
            log.warning("The database does not answer", exc_info=True)
            return False
        return timezone.now() - (last or queue.started_at) > heartbeats.STUCK_AFTER

    def _heal(self, queue: Child) -> Exit | None:
        """Kill what is left and start anew after a back-off, unless that happens too often."""
        queue.kill()
        self._forget_heartbeats()  # what it had claimed is free for others at once
        now = time.monotonic()
        while self._restarts and now - self._restarts[0] > RESTARTS_WITHIN_SECONDS:
            self._restarts.popleft()
        if len(self._restarts) >= MAX_RESTARTS:
            log.error("The queue ended too often: giving up", restarts=len(self._restarts))
            return Exit.GAVE_UP
        self._start_queue_at = now + 2 ** len(self._restarts) - 1
        self._restarts.append(now)
        return None

    def _start_queue_when_due(self, queue: Child) -> None:
        if self._start_queue_at is not None and time.monotonic() >= self._start_queue_at:
            self._start_queue_at = None
            queue.start()
            log.warning("The queue was started again")

    def _stop(self, result: Exit) -> Exit:
        for child in self._children():
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and not all(c.has_exited for c in self._children()):
            time.sleep(LOOK_EVERY_SECONDS / 4)
        late = [child.name for child in self._children() if not child.has_exited]
        for child in self._children():
            child.kill()
        self._forget_heartbeats()
        if late:
            log.error("Had to be killed", children=late)
            return Exit.KILLED
        return result

    def _forget_heartbeats(self) -> None:
        if self._queue is None:
            return
        try:
            heartbeats.forget(cluster_name(self._queue.pid))
        except DatabaseError:
            log.warning("The database does not answer", exc_info=True)
