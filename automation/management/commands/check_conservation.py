from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from automation.conservation import violations
from automation.models import Decision


class Command(BaseCommand):
    help = "Prove that no ticket was lost or doubled; exits non-zero where the law is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        outermost = not connection.in_atomic_block
        with transaction.atomic():
            if outermost and connection.vendor == "postgresql":
                # One moment for all checks, while workers go on.
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            broken = list(violations())
            decisions = Decision.objects.count()
        for sentence in broken:
            self.stderr.write(sentence)
        if broken:
            raise CommandError(f"{len(broken)} violations.")
        self.stdout.write(f"{decisions} decisions: nothing lost, nothing doubled.")
