from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.accounts.api_keys import create_api_key
from config.accounts.models import User
from config.accounts.roles import Permission

_DEFAULT = (Permission.FINDINGS_INTAKE, Permission.FINDINGS_READ)


class Command(BaseCommand):
    help = "Make an API key and print it. It is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="who will use it, as in ci-grype")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            metavar="SCOPE",
            help=f'may be repeated; "all" for every scope. Without it: {" ".join(_DEFAULT)}.',
        )
        parser.add_argument("--expires-in-days", type=int, metavar="N")
        parser.add_argument(
            "--for",
            dest="email",
            metavar="EMAIL",
            help="who answers for it: what the key does is done in their name",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_in_days"]
        try:
            _, raw = create_api_key(
                options["name"],
                scopes=_scopes(options["scopes"]),
                actor=_person(options["email"]),
                expires_at=None if days is None else timezone.now() + timedelta(days=days),
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except OverflowError as error:
            raise CommandError("That many days is beyond the calendar.") from error
        self.stdout.write(raw)


def _person(email: str | None) -> User | None:
    if email is None:
        return None
    person = User.objects.filter(email__iexact=email, is_active=True).first()
    if person is None:
        raise CommandError(f"Nobody who is active has the address {email}.")
    return person


def _scopes(names: list[str] | None) -> list[Permission]:
    if names is None:
        return list(_DEFAULT)
    if "all" in names:
        return list(Permission)
    unknown = [name for name in names if name not in set(Permission)]
    if unknown:
        known = "\n  ".join(("all", *Permission))
        raise CommandError(f"Unknown scope {', '.join(unknown)}. The scopes are:\n  {known}")
    return [Permission(name) for name in names]
