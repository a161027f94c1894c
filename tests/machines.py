"""The product as real processes: a place is a database and a data directory of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

ROOT = Path(__file__).resolve().parent.parent
MARK = "TEST_PLACE"


def wait_until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Look until the condition holds; fail when it does not within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Place:
    """Where machines run. Every process started here carries its mark, whoever its parent is."""

    def __init__(self, directory: Path, database_url: str | None) -> None:
        self.directory = directory
        self.mark = uuid.uuid4().hex
        self.machines: list[Machine] = []
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "COV", "DJANGO", "DATABASE", "REDIS"))
        } | {
            MARK: self.mark,
            "DATA_DIR": str(directory),
            "DJANGO_SETTINGS_MODULE": "config.settings.base",
            "PYTHONUNBUFFERED": "1",
        }
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one management command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def processes(self) -> dict[int, str]:
        """Pid → command line of all that was started here and still runs."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        return found

    def kill_all(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for machine in self.machines:
            machine.exit_code()


class Machine:
    """One `manage.py up` or `work`, and what it prints."""

    def __init__(
        self, place: Place, *arguments: str, program: str = "manage.py", **environment: str
    ) -> None:
        self.place = place
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        options = ("--port", str(self.port)) if arguments[0] in ("up", "serve") else ()
        self._output = place.directory / f"output-{self.port}"
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, program, *arguments, *options],
                cwd=ROOT,
                env=place.environment | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        place.machines.append(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str, *, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.output}"
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGINT) -> int:
        self._process.send_signal(number)
        return self.exit_code()

    def kill(self) -> None:
        self._process.kill()
        self.exit_code()

    def exit_code(self, *, seconds: float = 30) -> int:
        return self._process.wait(timeout=seconds)

    def children(self, word: str) -> list[int]:
        """Our own children with that word in their command line."""
        return [
            pid
            for pid, command in self.place.processes().items()
            if word in command and parent_of(pid) == self.pid
        ]

    def post(self, path: str, body: object, *, key: str) -> int:
        """Status of the answer to that JSON body."""
        request = urllib.request.Request(
            self.address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status

    def get(self, path: str) -> tuple[int, dict]:
        """Status and JSON body of the answer; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            return answer.code, json.load(answer)
        except OSError:
            return 0, {}

    def heartbeat_age(self) -> float | None:
        return self.get("/readyz")[1]["parts"]["queue"]["age_seconds"]

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def fresh_database(template: str = "template1") -> Iterator[str | None]:
    """A new database on the server that the suite runs on; None for SQLite."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield None
        return
    name = f"fa_place_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(urlsplit(server)._replace(path="/postgres").geturl()) as connection:
        connection.autocommit = True
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """A Redis of our own, empty and on a free port; skips the test where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on this machine")
    port = free_port()
    options = ("--bind", "127.0.0.1", "--save", "", "--dir", str(directory))
    server = subprocess.Popen([program, "--port", str(port), *options], stdout=subprocess.DEVNULL)
    try:
        url = f"redis://127.0.0.1:{port}/0"
        wait_until(lambda: _answers(url))
        yield url
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    with redis.from_url(url) as client, contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False
