from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.accounts.audit.events import record_event
from config.lib.retention import row_kinds
from config.runtime.models import Retention
from config.runtime.retention import nightly


class Command(BaseCommand):
    help = (
        "Delete what is older than its kind is kept (see RETENTION_DAYS), as the queue does every "
        "night. Exit code 1 where a kind is held."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = [kind.name for kind in row_kinds() if not kind.task]
        parser.add_argument("--only", nargs="+", choices=names, default=[], metavar="KIND")
        parser.add_argument("--dry-run", action="store_true", help="Count, and delete nothing.")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Also what is held because so much at once looks like a clock that went wrong; "
            "and begin this night's work again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        only = options["only"]
        if options["dry_run"]:
            for each in nightly.preview(timezone.now(), only=only):
                self.stdout.write(
                    f"{each.kind.name}: {each.going:,} of {each.old:,} rows "
                    f"older than {each.days:,} days would go"
                )
            return
        if options["force"]:
            record_event("retention", "forced", details={"kinds": only})
        for kind in row_kinds():
            if not only or kind.name in only:
                _run(kind.name, is_forced=options["force"])
        self._report(only)

    def _report(self, only: list[str]) -> None:
        rows = Retention.objects.filter(pk__in=only) if only else Retention.objects.all()
        held = []
        for row in rows.order_by("kind"):
            if row.held:
                held.append(f"{row.kind}: {row.held}")
            elif row.deleted:
                self.stdout.write(f"{row.kind}: {row.deleted:,} deleted")
        if held:
            advice = "Check the clock of this machine; if it is right, say --force."
            raise CommandError("\n".join([*held, advice]))


def _run(name: str, *, is_forced: bool) -> None:
    """One kind to its end: what is forced begins anew once, and then goes on."""
    is_done = nightly.delete_old_rows(only=[name], is_forced=is_forced)
    while not is_done:
        is_done = nightly.delete_old_rows(only=[name])
