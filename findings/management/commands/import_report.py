from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from findings.formats.registry import FORMATS
from findings.formats.stream import RefusedReport
from findings.imports import Sent, import_report
from findings.models import Import
from findings.spool import chunks_of


class Command(BaseCommand):
    help = "Take in a scanner's report. Exit code 2 if the file as a whole is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The report, plain or gzipped; - is standard input.")
        parser.add_argument("--format", choices=[each.NAME for each in FORMATS], default="")
        parser.add_argument("--source", default="", help="Default: the scanner's name.")
        parser.add_argument("--dry-run", action="store_true", help="Count, and keep nothing.")
        parser.add_argument("--json", action="store_true", help="Print one line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = _try_out(options) if options["dry_run"] else _take_in(options)
        except RefusedReport as refusal:
            raise CommandError(refusal.reason, returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(_counts(done)))
            return
        self.stdout.write(", ".join(f"{name} {count}" for name, count in _counts(done).items()))
        for error in done.errors:
            self.stderr.write(f"{error['source']['pointer']}: {error['detail']}")


def _take_in(options: dict[str, Any]) -> Import:
    sent = Sent(
        source=options["source"],
        format_name=options["format"],
        file_name="" if options["file"] == "-" else Path(options["file"]).name,
        by="import_report",
    )
    with _open(options["file"]) as file:
        return import_report(chunks_of(file), sent)


def _open(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None


def _try_out(options: dict[str, Any]) -> Import:
    """Really record, to count exactly, and take it all back: no news goes out either."""
    with transaction.atomic():
        done = _take_in(options)
        transaction.set_rollback(True)
    return done


def _counts(done: Import) -> dict[str, Any]:
    return {
        "format": done.format,
        "findings": done.received - done.rejected,
        "new": done.new,
        "seen_again": done.seen_again,
        "reopened": done.reopened,
        "resolved": 0,  # an import closes nothing yet: it does not know what it covers
        "rejected": done.rejected,
    }
