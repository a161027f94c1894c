from __future__ import annotations

import argparse
import ipaddress
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ticketing.trackers.jira.sandbox import SandboxJira


class Command(BaseCommand):
    help = "Run a sandbox Jira on this computer until stopped."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", default=8090, type=int, help="port to listen on")
        parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")

    def handle(self, *_: object, **options: Any) -> None:
        if not ipaddress.ip_address(options["host"]).is_loopback:
            raise CommandError("The sandbox Jira listens on this computer alone.")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with SandboxJira(host=options["host"], port=options["port"]) as jira:
            self.stdout.write(f"Sandbox Jira runs at {jira.url}")
            self.stdout.flush()
            stopped.wait()
