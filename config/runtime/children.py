"""The commands that the supervisor runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from django.conf import settings

from config.runtime.supervisor import Child


def web(*, host: str, port: int, environment: Mapping[str, str]) -> Child:
    command = [
        *(sys.executable, str(settings.BASE_DIR / "manage.py"), "serve"),
        *("--host", host, "--port", str(port)),
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


def load_demo_data(*, environment: Mapping[str, str]) -> None:
    """In a process with the environment of the others: it connects to the sandbox Jira.

    One of its rules is broken on purpose; that is no warning to anybody who starts.
    """
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo_data"]
    quiet = {**environment, "LOG_LEVEL": os.environ.get("LOG_LEVEL", "ERROR")}
    subprocess.run(command, env=os.environ | quiet, check=True)  # noqa: S603  our own
