from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from automation.decisions import conservation, outbox_invariants
from automation.models import Decision
from ticketing.inventory import differences


class Command(BaseCommand):
    help = "Prove that no ticket was lost or doubled; exits non-zero where the law is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--with-jira",
            action="store_true",
            help="ask Jira for the issues of every promise, too: a few requests for each",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        outermost = not connection.in_atomic_block
        with transaction.atomic():
            if outermost and connection.vendor == "postgresql":
                # One moment for all checks, while workers go on.
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            broken = [*conservation.violations(), *outbox_invariants.violations()]
            decisions = Decision.objects.count()
            counts = outbox_invariants.counts()
        if options["with_jira"]:
            broken += differences()
        for sentence in broken:
            self.stderr.write(sentence)
        if broken:
            raise CommandError(f"{len(broken)} violations.")
        self.stdout.write(f"{decisions} decisions: nothing lost, nothing doubled.")
        self.stdout.write(f"Promises: {counts}.")
