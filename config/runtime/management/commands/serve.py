from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand

from config.runtime.web.limits import Limits
from config.runtime.web.server import serve


class Command(BaseCommand):
    help = "What `up` runs: the web server alone, in front of a database that is ready."
    requires_system_checks = []  # `up` has made them

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", default=8000, type=int, help="port to listen on")
        parser.add_argument("--limits", default="{}", type=json.loads, help=argparse.SUPPRESS)

    def handle(self, *_: object, **options: Any) -> None:
        limits = Limits(**options["limits"])
        serve(host=options["host"], port=options["port"], limits=limits)
