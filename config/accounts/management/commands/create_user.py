from __future__ import annotations

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from config.accounts.people import create_person
from config.accounts.roles import Role


class Command(BaseCommand):
    help = "Make a person's account. Without a password file it gets a random one, printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", help="as shown to others; the address if left out")
        parser.add_argument(
            "--role", choices=[role.value for role in Role], default=Role.VIEWER.value
        )
        parser.add_argument("--password-file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["password_file"]
        try:
            password = file.read_text().strip() if file else secrets.token_urlsafe(15)
            person = create_person(
                email=options["email"],
                name=options["name"] or options["email"],
                role=Role(options["role"]),
                password=password,
            )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The password file could not be read: {error}") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stderr.write(f"{person.email} may sign in as {Role(person.role).label}.")
        if file is None:
            self.stdout.write(password)
