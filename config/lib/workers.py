"""The names of processes that work, and whether the one of a name has ended.

A worker is `host:cluster:pid`. The cluster is the process group of a queue, which gives signs
of life (`config.runtime.heartbeats`); it is empty for a process that is none of a queue's.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

_cluster = ""


def cluster_name(process_group: int | None = None) -> str:
    """The name of the cluster in that process group of this machine, by default our own."""
    return f"{socket.gethostname()}:{process_group or os.getpgrp()}"


def join_cluster() -> None:
    """This process works for the queue of its process group, which gives signs of life."""
    global _cluster  # noqa: PLW0603  true of the process
    _cluster = str(os.getpgrp())


def worker_name() -> str:
    """The name of this process."""
    return f"{socket.gethostname()}:{_cluster}:{os.getpid()}"


def cluster_of(worker: str) -> str:
    """The cluster that a worker belongs to; empty for one of none."""
    host, cluster, _ = worker.rsplit(":", 2) if worker.count(":") >= 2 else ("", "", "")
    return f"{host}:{cluster}" if cluster else ""


def has_ended(worker: str) -> bool:
    """Whether the process is known to have ended: that can be said of this machine's alone.

    A number that was given to another process since passes for the one that had it before.
    """
    host, _, pid = worker.rpartition(":")
    if not pid.isdecimal() or host.rpartition(":")[0] != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # somebody else's
    return _is_zombie(pid)


def _is_zombie(pid: str) -> bool:
    """Dead, and not yet noticed by whoever started it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
