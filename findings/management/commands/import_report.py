from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from findings.formats.registry import FORMATS
from findings.formats.shapes.column_map import column_map
from findings.formats.streams.records import RefusedReport
from findings.imports.dry_run import Summary, dry_run
from findings.imports.run import ImportOptions, import_report
from findings.imports.spool import chunks_of, spooled
from findings.models import Import


class Command(BaseCommand):
    help = "Import a scanner's report. Exit code 2 if the file as a whole is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The report, plain, gzip or zip; - is standard input.")
        parser.add_argument("--format", choices=[each.NAME for each in FORMATS], default="")
        parser.add_argument(
            "--columns",
            default="",
            help="Of a table of your own: which column means which field, as "
            '"title:Issue Name,severity:Risk,finding_type:=misconfiguration".',
        )
        parser.add_argument("--source", default="", help="Default: the scanner's name.")
        parser.add_argument(
            "--scope",
            default="",
            help="What the report covers (a repository, an image, an account): what a later one "
            "of the same scope lacks is closed. Default: what the report says it scanned.",
        )
        parser.add_argument("--partial", action="store_true", help="Close nothing it lacks.")
        parser.add_argument("--dry-run", action="store_true", help="Count, and keep nothing.")
        parser.add_argument("--json", action="store_true", help="Print one line of JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = _dry_run(options) if options["dry_run"] else _take_in(options)
        except RefusedReport as refusal:
            raise CommandError(refusal.reason, returncode=2) from None
        counts = _counts(done)
        if options["json"]:
            self.stdout.write(json.dumps(counts | _scope(done)))
        else:
            self.stdout.write(", ".join(f"{name} {count}" for name, count in counts.items()))
        self._warn(done)

    def _warn(self, done: Import | Summary) -> None:
        for note in filter(None, [*done.notes, done.closing_note]):
            self.stderr.write(note)
        for each in filter(itemgetter("target"), done.unscanned):  # else the closing note says it
            self.stderr.write(f"Not read: {each['target']}: {each['reason']}")
        for error in done.errors:
            self.stderr.write(f"{error['source']['pointer']}: {error['detail']}")


def _take_in(options: dict[str, Any]) -> Import:
    with _open(options["file"]) as file:
        return import_report(chunks_of(file), _import_options(options))


def _dry_run(options: dict[str, Any]) -> Summary:
    with (
        _open(options["file"]) as file,
        spooled(chunks_of(file), limit=settings.IMPORT_MAX_BYTES) as report,
    ):
        return dry_run(report, _import_options(options))


def _import_options(options: dict[str, Any]) -> ImportOptions:
    return ImportOptions(
        source=options["source"],
        scope=options["scope"],
        format_name=options["format"],
        columns=column_map(options["columns"]),
        file_name="" if options["file"] == "-" else Path(options["file"]).name,
        is_partial=options["partial"],
        by="import_report",
    )


def _open(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from None


def _counts(done: Import | Summary) -> dict[str, Any]:
    return {
        "format": done.format,
        "findings": done.new + done.seen_again + done.reopened,
        "new": done.new,
        "seen_again": done.seen_again,
        "reopened": done.reopened,
        "resolved": done.resolved,
        "rejected": done.rejected,
    }


def _scope(done: Import | Summary) -> dict[str, Any]:
    """What a script may want to know beside the counts."""
    scope = str(getattr(done.scope, "target", done.scope))
    held = done.missing if done.closing == Import.Closing.HELD else 0
    return {
        "held": held,
        "source": str(done.source),
        "scope": scope,
        "note": done.closing_note,
        "notes": done.notes,
        "unscanned": done.unscanned,
    }
