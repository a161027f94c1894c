"""Emptying the database after a test that commits: of 60 tables, only those that hold rows.

Django empties all of them. PostgreSQL makes new files for each table and index then, and waits
until they are on the disk: a second for every test.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management.color import Style
from django.core.management.commands import flush
from django.db.backends.base.base import BaseDatabaseWrapper

# Triggers write here when findings go.
MARKS = ('"findings_changedday"', '"findings_findingchange"')
# Django would make the same again.
MADE_BY_MIGRATE = {"auth_permission", "django_content_type", "findings_changelog"}
PRUNING = "SET LOCAL findings.audit_pruning = 'on'"  # else the audit log refuses to be emptied


def statements(_: Style, connection: BaseDatabaseWrapper, **__: object) -> list[str]:
    """In place of Django's `sql_flush`."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = [connection.ops.quote_name(name) for name in {*names} - MADE_BY_MIGRATE]
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        full = [f"DELETE FROM {table}" for (table,) in cursor.fetchall()]
        full += [f"DELETE FROM {table}" for table in MARKS]
    return [PRUNING, *full] if connection.vendor == "postgresql" else full


@pytest.fixture(autouse=True, scope="session")
def _empties_what_is_full() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", statements)
        yield
