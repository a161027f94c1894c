"""What must be true before anything is served: tables, static files, and somebody to sign in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

from config.accounts.models import User

FIRST_ADMIN = "admin@example.com"
_LOCK = 0x0F17D1965  # any number that is always the same


def migrate() -> None:
    """Bring the tables up to date."""
    with _one_machine_at_a_time():
        call_command("migrate", interactive=False, verbosity=0)


def create_first_admin() -> str | None:
    """Create somebody to sign in if there is nobody; the password returned is stored nowhere."""
    with _one_machine_at_a_time():
        if User.objects.exists():
            return None
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(FIRST_ADMIN, password, name="Administrator")
        return password


def collect_static_files() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


@contextmanager
def _one_machine_at_a_time() -> Iterator[None]:
    """Several machines may start at once on one PostgreSQL; SQLite has one machine only."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
