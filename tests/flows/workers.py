"""Workers as real processes that die, stop or dawdle at a chosen step of the delivery.

They are forked by a process without threads and without connections (the nursery), because
the one that runs the sandbox Jira has both.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from multiprocessing import Pipe
from typing import NamedTuple

import time_machine

BEGINNING = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Orders(NamedTuple):
    """What a worker is to do: one ring of the queue, at a time of its own."""

    at: timedelta  # since the beginning
    step: str = ""  # a point of `points`
    when: str = ""  # before, after: relative to the step
    fate: str = ""  # kill, stop, dawdle
    seed: int = 0


def points() -> dict[str, tuple[object, str]]:
    """The steps of delivery: where each of them is a call."""
    from config.runtime import broker  # noqa: F401
    from ticketing import delivery  # noqa: F401
    from ticketing.outbox import claims, settling
    from ticketing.trackers.jira.tracker import JiraTracker

    return {
        "claim": (claims, "claim"),
        "mark as sent": (claims, "mark_sent"),
        "create": (JiraTracker, "create"),
        "settle": (settling, "settle_created"),
        "store, uncommitted": (settling, "mirror"),
        "fail": (settling, "settle_failed"),
        "claim a look at once": (claims, "claim_look"),
        "look at once": (JiraTracker, "find_new"),
        "claim a look-up": (claims, "claim_looks"),
        "look up": (JiraTracker, "find"),
        "settle the look-up": (settling, "settle_look"),
    }


class Nursery:
    """`start` forks a worker, `wait` says how it ended: done, killed, stopped, failed."""

    def __init__(self) -> None:
        self._ours, theirs = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            try:
                _serve(theirs)
            finally:
                os._exit(0)
        theirs.close()

    def start(self, orders: Orders) -> int:
        self._ours.send(("start", orders))
        return self._ours.recv()

    def wait(self, pid: int) -> str:
        self._ours.send(("wait", pid))
        return self._ours.recv()

    def run(self, orders: Orders) -> str:
        return self.wait(self.start(orders))

    def close(self) -> None:
        self._ours.close()
        os.waitpid(self._pid, 0)


def _serve(pipe) -> None:
    points()  # what every worker would import for itself
    while True:
        try:
            what, argument = pipe.recv()
        except EOFError:
            return
        pipe.send(_fork(argument) if what == "start" else _wait(argument))


def _fork(orders: Orders) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _work(orders)
        except BaseException:  # noqa: BLE001  a child must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def _wait(pid: int) -> str:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return "stopped"
    if os.WIFSIGNALED(status):
        return "killed"
    return "failed" if os.waitstatus_to_exitcode(status) else "done"


def _work(orders: Orders) -> None:
    """What a worker does for a ring, after what the sweep of that minute does."""
    from ticketing import delivery, pacing
    from ticketing.outbox import claims
    from ticketing.trackers.jira import client

    client.READ_TIMEOUT = 1  # seconds; the hung answers of the tests are longer
    pacing.FASTEST = 500.0
    pacing.GROWTH = 500.0
    claims.serve = lambda *_, **__: True  # a courtesy: here everybody works on everything
    if orders.fate:
        _lay_in_wait(orders)
    with time_machine.travel(BEGINNING + orders.at, tick=True):
        delivery.deliver_due(seconds=20)


def _lay_in_wait(orders: Orders) -> None:
    owner, name = points()[orders.step]
    step = getattr(owner, name)
    meet = _meeting(orders)

    @wraps(step)
    def instead(*args, **kwargs):
        if orders.when == "before":
            meet()
        result = step(*args, **kwargs)
        if orders.when == "after":
            meet()
        return result

    setattr(owner, name, instead)


def _meeting(orders: Orders) -> Callable[[], None]:
    chance = random.Random(orders.seed)
    met = []

    def meet() -> None:
        if met:
            return
        met.append(True)
        match orders.fate:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "dawdle":
                time.sleep(chance.uniform(0, 0.15))

    return meet
