from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import socket
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from config.lib.links import is_this_computer
from config.runtime import children, prepare
from config.runtime.supervisor import Supervisor

_ANSWERS_WITHIN_SECONDS = 60
_ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  read, not listened on


class Command(BaseCommand):
    help = "Prepare the database and run the web server and the queue until stopped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", default=8000, type=int, help="port to listen on")
        parser.add_argument(
            "--workers",
            type=int,
            default=None,
            help="workers of the queue; 0 runs the web server alone",
        )
        parser.add_argument(
            "--no-sample", action="store_true", help="no sample content on the first start"
        )
        parser.add_argument(
            "--sandbox-jira", action="store_true", help="run a Jira to try beside it, on loopback"
        )

    def handle(self, *_: object, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        _refuse_port_in_use(host, port)
        base_url = os.environ.get("BASE_URL") or f"http://{_url_host(host)}:{port}"
        environment = {"BASE_URL": base_url}
        if workers is not None:
            environment["WORKERS"] = str(workers)
        if sys.stderr.isatty() and "LOG_LEVEL" not in os.environ:
            environment["LOG_LEVEL"] = "WARNING"  # the login stays in sight
        sandbox_port = self._port_of_sandbox(base_url, port) if options["sandbox_jira"] else None

        prepare.migrate()
        prepare.collect_static_files()
        password = prepare.create_first_admin()
        sandbox = None
        if sandbox_port is not None:
            sandbox = children.sandbox_jira(port=sandbox_port)
            environment["SANDBOX_JIRA_URL"] = f"http://127.0.0.1:{sandbox_port}"
            sandbox.start()
            _wait_until_listening(sandbox_port)
            prepare.move_sandbox_account(environment["SANDBOX_JIRA_URL"])
        if password and not options["no_sample"]:
            self.stdout.write("Loading sample content …")
            children.load_demo_data(environment=environment)

        def announce() -> None:
            if _wait_for_answer(host, port, base_url, supervisor):
                self._greet(base_url, password, environment.get("SANDBOX_JIRA_URL", ""))

        supervisor = Supervisor(
            web=children.web(host=host, port=port, environment=environment),
            queue=None if workers == 0 else children.queue(environment=environment),
            beside=sandbox,
            on_start=announce,
        )
        sys.exit(supervisor.run())

    def _port_of_sandbox(self, base_url: str, port: int) -> int | None:
        """The one after ours, or any that is free; None where others could take it for real."""
        if not is_this_computer(urlsplit(base_url).hostname or ""):
            self.stdout.write("No Sandbox Jira: BASE_URL is not on this computer.")
            return None
        for wanted in (port + 1, 0):
            with contextlib.suppress(OSError, OverflowError), socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", wanted))
                return int(probe.getsockname()[1])
        raise CommandError("No port is free for the Sandbox Jira.")

    def _greet(self, base_url: str, password: str | None, sandbox_url: str) -> None:
        self.stdout.write(f"\n  Findings Automation runs at {base_url}\n")
        if password:
            self.stdout.write(f"  Sign in as {prepare.FIRST_ADMIN} with the password {password}")
            self.stdout.write("  It is shown only now and stored nowhere.")
        else:
            self.stdout.write(
                "  Forgot the password? `manage.py changepassword "
                f"{prepare.FIRST_ADMIN}` sets a new one."
            )
        if sandbox_url:
            self.stdout.write(
                f"  The Sandbox Jira, which is not a real Jira, runs at {sandbox_url}"
            )
        self.stdout.write("  Ctrl-C stops it.\n")
        self.stdout.flush()


def _url_host(host: str) -> str:
    reachable = _ALL_ADDRESSES.get(host, host)
    return f"[{reachable}]" if ":" in reachable else reachable


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + _ANSWERS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise CommandError("The Sandbox Jira did not start.")


def _refuse_port_in_use(host: str, port: int) -> None:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Choose another with --host and --port."
        ) from error


def _wait_for_answer(host: str, port: int, base_url: str, supervisor: Supervisor) -> bool:
    """Wait until the web server answers as it would answer a browser."""
    deadline = time.monotonic() + _ANSWERS_WITHIN_SECONDS
    while time.monotonic() < deadline and not supervisor.is_stopping:
        connection = http.client.HTTPConnection(_ALL_ADDRESSES.get(host, host), port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": urlsplit(base_url).netloc})
            if connection.getresponse().status == http.client.OK:
                return True
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.1)
    return False
