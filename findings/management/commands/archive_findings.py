from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.accounts.audit.events import record_event
from findings.archive.selection import candidates
from findings.archive.store import archive_some


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise ArgumentTypeError("a number of days, at least 1")
    return int(text)


class Command(BaseCommand):
    help = (
        "Write findings that were resolved long ago to files, and delete them. One that is "
        "reported again comes back on its ticket; restore_archive brings back all of a file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than", type=_days, required=True, metavar="DAYS")
        parser.add_argument("--to", type=Path, metavar="DIR", help="Default: ARCHIVE_DIR.")
        parser.add_argument("--dry-run", action="store_true", help="Count, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        cutoff = timezone.now() - timedelta(days=options["older_than"])
        folder = options["to"] or settings.ARCHIVE_DIR
        if options["dry_run"]:
            number = candidates(cutoff).count()
            self.stdout.write(f"Up to {number:,} findings: those on open cases stay.")
            return
        looked_at = archived = 0
        cursor = None
        try:
            while (done := archive_some(cutoff, cursor, folder=folder)).looked_at:
                cursor = done.cursor
                looked_at += done.looked_at
                archived += done.archived
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error}.") from error
        finally:
            if archived:
                record_event("finding", "archived", count=archived)
        self.stdout.write(f"{archived:,} findings archived in {folder}.")
        if stay := looked_at - archived:
            self.stdout.write(
                f"{stay:,} stay: their ticket, import or bulk run is not over, or they are in use."
            )
