from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from findings.archive.files import BadArchive
from findings.archive.restore import restore


class Command(BaseCommand):
    help = (
        "Bring back the findings of files that archive_findings wrote: resolved as they were, "
        "under their ids, on their tickets. What is there already stays. Safe to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["files"]:
            try:
                done = restore(path)
            except BadArchive as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{path.name}: {done.restored:,} findings restored.")
            if done.present:
                self.stdout.write(
                    f"{done.present:,} were there already and stay as they are; "
                    f"{done.completed:,} of them got their earlier events."
                )
