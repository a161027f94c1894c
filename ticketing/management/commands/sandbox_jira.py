from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ticketing.trackers.jira.credentials import Deployment
from ticketing.trackers.jira.sandbox import SandboxJira
from ticketing.trackers.jira.sandbox.sandbox import EMAIL, TOKEN


class Command(BaseCommand):
    help = "Run a sandbox Jira, for development and trying out, on this computer until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
        parser.add_argument("--port", default=8090, type=int, help="port to listen on")
        parser.add_argument("--data", type=Path, help="file to keep the issues in")
        parser.add_argument("--email", default=EMAIL, help="whom the product signs in as")
        parser.add_argument("--token", default=TOKEN, help="what it signs in with")
        parser.add_argument("--webhook", default="", help="address to send webhooks to")
        parser.add_argument("--webhook-secret", default="", help="what to sign them with")
        parser.add_argument(
            "--deployment", default="cloud", choices=[kind.value for kind in Deployment]
        )
        parser.add_argument(
            "--lag", default=0, type=float, help="seconds until a search finds what is new"
        )
        parser.add_argument("--rate", type=float, help="requests a second; more answers 429")

    def handle(self, *_: object, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        jira = _sandbox(options)
        try:
            jira.start()
        except (OSError, ValueError) as error:
            raise CommandError(
                f"Cannot listen on {options['host']} port {options['port']}: {error}. "
                "Choose another with --host and --port."
            ) from error
        with jira:
            self._greet(jira)
            stopped.wait()

    def _greet(self, jira: SandboxJira) -> None:
        self.stdout.write(f"\n  Sandbox Jira – not a real Jira – runs at {jira.url}")
        if jira.site.is_cloud:
            self.stdout.write(f"  E-mail     {jira.access.email}")
        self.stdout.write(f"  API token  {jira.access.token}")
        for hook in jira.site.hooks.values():
            self.stdout.write(f"  Webhook    {hook.url}")
        self.stdout.write("  Ctrl-C stops it.\n")
        self.stdout.flush()


def _sandbox(options: dict[str, Any]) -> SandboxJira:
    try:
        jira = SandboxJira(
            deployment=options["deployment"],
            host=options["host"],
            port=options["port"],
            email=options["email"],
            token=options["token"],
            lag=options["lag"],
            rate=options["rate"],
            data=options["data"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(f"Cannot read {options['data']}: {error}") from error
    if options["webhook"]:
        jira.webhooks.register(options["webhook"], secret=options["webhook_secret"])
    return jira
