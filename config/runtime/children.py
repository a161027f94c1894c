"""The commands that the supervisor runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from config.runtime.supervisor import Child

THREADS = str(2 * (os.cpu_count() or 1))
"""Of the web server: more than the cores, as some wait for the database. Each has a connection."""


def web(*, host: str, port: int, environment: Mapping[str, str]) -> Child:
    command = [
        str(Path(sys.executable).with_name("granian")),
        *("--interface", "wsgi", "--no-ws", "--blocking-threads", THREADS),
        *("--host", host, "--port", str(port), "--log-level", "warning"),
        "config.wsgi:application",
    ]
    return Child("web", command, os.environ | environment)


def queue(*, environment: Mapping[str, str]) -> Child:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
    return Child("queue", command, os.environ | environment)


def sandbox_jira(*, port: int) -> Child:
    """A Jira to try, with its issues kept in DATA_DIR."""
    command = [
        *(sys.executable, str(settings.BASE_DIR / "manage.py"), "sandbox_jira"),
        *("--port", str(port), "--data", str(settings.DATA_DIR / "sandbox_jira.json")),
    ]
    return Child("sandbox Jira", command, os.environ, stdout=subprocess.DEVNULL)


def load_sample(*, environment: Mapping[str, str]) -> None:
    """In a process with the environment of the others: the sample connects to the sandbox Jira."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_sample"]
    subprocess.run(command, env=os.environ | environment, check=True)  # noqa: S603  our own
