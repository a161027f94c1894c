from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.accounts.audit.chain import ChainError, check


class Command(BaseCommand):
    help = (
        "Check that no row of the audit log was changed, removed or cut off: each carries the "
        "hash of the one before. Exit code 1 names the first row that is wrong."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--noted",
            default="",
            metavar="HEAD",
            help="a head that an earlier check printed and you kept elsewhere: it must still be "
            "part of the log, even if the whole database was replaced",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            checked = check(known=options["noted"])
        except ChainError as error:
            raise CommandError(f"The audit log does not hold. {error}") from error
        self.stdout.write(f"{checked.rows} rows hold, from row {checked.first} on.")
        if checked.waiting:
            self.stdout.write(f"{checked.waiting} are not in the chain yet: is the queue running?")
        self.stdout.write(f"Head: {checked.head}")
