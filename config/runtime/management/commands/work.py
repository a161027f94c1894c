from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.runtime import children, prepare
from config.runtime.supervisor import Supervisor


class Command(BaseCommand):
    help = "Run the queue alone until stopped: what a machine without a web server runs."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--workers", type=int, default=None, help="workers of the queue")

    def handle(self, *_: object, **options: Any) -> None:
        workers = options["workers"]
        prepare.migrate()
        environment = {} if workers is None else {"WORKERS": str(workers)}
        supervisor = Supervisor(
            web=None,
            queue=children.queue(environment=environment),
            on_start=lambda: self.stdout.write("Working. Ctrl-C stops it."),
        )
        sys.exit(supervisor.run())
