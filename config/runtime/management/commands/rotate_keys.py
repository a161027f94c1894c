from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.lib.key_rotation import rotate_all


class Command(BaseCommand):
    help = (
        "Re-encrypt every stored secret with the first of ENCRYPTION_KEYS. Put a new key first, "
        "run this on one machine, then take the old key out. May be run again at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        lost = []
        for column, rotated, current, unreadable in rotate_all():
            self.stdout.write(f"{column}: {rotated} re-encrypted, {current} were already")
            lost += [f"{column} of {pk}" for pk in unreadable]
        if lost:
            raise CommandError(
                "None of the ENCRYPTION_KEYS reads these. Add the key that they were written "
                "with, or enter the secrets again:\n  " + "\n  ".join(lost)
            )
