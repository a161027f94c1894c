"""What must be true before anything is served: tables, static files, and somebody to sign in."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from config.accounts.audit.history import import_history
from config.accounts.models import User
from config.lib.private_files import close_to_others
from ticketing.models import JiraAccount

FIRST_ADMIN = "admin@example.com"
_LOCK = 0x0F17D1965  # any number that is always the same


def migrate() -> None:
    """Bring the tables up to date; CommandError if the database does not answer."""
    close_to_others(settings.DATA_DIR, but=settings.STATIC_ROOT)
    try:
        connection.ensure_connection()
    except OperationalError as error:
        message = " ".join(str(error).split())
        raise CommandError(f"The database of DATABASE_URL does not answer: {message}") from error
    with _one_machine_at_a_time():
        call_command("migrate", interactive=False, verbosity=0)
        import_history()


def create_first_admin() -> str | None:
    """Create somebody to sign in if there is nobody; the password returned is stored nowhere."""
    with _one_machine_at_a_time():
        if User.objects.exists():
            return None
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(
            FIRST_ADMIN, password, name="Administrator", must_change_password=True
        )
        return password


def move_sandbox_account(url: str) -> None:
    """The Sandbox Jira may listen on another port than at the last start."""
    JiraAccount.objects.filter(is_sandbox=True).update(site_url=url, api_url=url)


def collect_static_files() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


@contextmanager
def _one_machine_at_a_time() -> Iterator[None]:
    """Several machines may start at once on one PostgreSQL, two commands on one SQLite."""
    if connection.vendor != "postgresql":
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (settings.DATA_DIR / "start.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
