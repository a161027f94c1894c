"""Every limit of the web server. Tests shorten them: `manage.py serve --limits '{"…": 1}'`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from config.lib.request_handling import Lane

_THREADS = {
    Lane.LIGHT: 1,
    Lane.STATUS: 1,
    Lane.ADMISSION: 1,
    Lane.SIGN_IN: 2,  # passwords are slow to check on purpose
    Lane.SEARCH: 6,  # more than one person may use: see config.lib.concurrency
    Lane.EXPORT: 2,
    Lane.INTAKE: 4,
    Lane.PAGES: max(4, 2 * (os.cpu_count() or 1)),  # some wait for the database
}


@dataclass(frozen=True)
class Limits:
    header_seconds: float = 15  # from the first byte of a request to the end of its headers
    idle_seconds: float = 75  # between requests; more than a proxy keeps a connection (60)
    body_seconds: float = 20  # and a second for each `body_rate` bytes that came
    body_rate: int = 16 * 1024
    body_most_seconds: float = 3600
    answer_seconds: float = 30  # and a second for each `answer_rate` bytes that were taken
    answer_rate: int = 16 * 1024
    linger_seconds: float = 2  # so that a client that still sends may read why it was refused
    stop_seconds: float = 10  # less than the supervisor's grace
    send_buffer: int = 0  # bytes that the kernel keeps for a client; 0: as it likes
    connections: int = 500
    waiting: int = 200  # requests, of one lane
    pipelined: int = 16  # requests on one connection
    header_bytes: int = 64 * 1024
    large_bodies: int = 4  # times the largest report: what all that are on their way may be
    signed_bodies: int = 32 * 1024 * 1024  # of all that anybody may send
    threads: dict[Lane, int] = field(default_factory=_THREADS.copy)
