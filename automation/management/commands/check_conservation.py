from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from automation.decisions import conservation, outbox_invariants
from automation.models import Decision
from ticketing.inventory import differences
from ticketing.models import JiraAccount


def _refuse_unreachable_sandbox() -> None:
    """Its address is allowed to `manage.py up` alone, which runs it: without it each of its
    promises would look like one that is lost."""
    for account in JiraAccount.objects.filter(is_sandbox=True):
        if not settings.ALLOW_PRIVATE_NETWORKS and account.site_url != settings.SANDBOX_JIRA_URL:
            raise CommandError(
                "The Sandbox Jira is asked only at the address that SANDBOX_JIRA_URL names. While "
                f"it runs: SANDBOX_JIRA_URL={account.site_url} manage.py check_conservation "
                "--with-jira"
            )


class Command(BaseCommand):
    help = "Prove that no ticket was lost or doubled; exits non-zero where the law is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--with-jira",
            action="store_true",
            help="ask Jira for the issues of every promise, too: a few requests for each",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["with_jira"]:
            _refuse_unreachable_sandbox()
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
