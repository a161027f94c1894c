from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from findings.imports.queue import take_large

BEHIND = 5  # in line for the processor: pages and deliveries go first


class Command(BaseCommand):
    help = "Import a large upload that a worker has claimed. Started by the queue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=UUID, help="of the import")

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(BEHIND)
        take_large(options["id"])
