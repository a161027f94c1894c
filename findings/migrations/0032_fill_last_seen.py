"""When a finding was last seen goes from its wide row into the narrow one, and back.

A report moves it in every row of a page, in place as long as the page has room for them: with half
of each page left free PostgreSQL touches no index of the table. The wide rows then need no
room any more: what changes in them is nearly always indexed.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

NEW = {"findings_evaluation": "SET (fillfactor = 50)", "findings_finding": "RESET (fillfactor)"}
OLD = {"findings_evaluation": "RESET (fillfactor)", "findings_finding": "SET (fillfactor = 50)"}


def set_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _alter(NEW, schema_editor)


def set_former_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _alter(OLD, schema_editor)


def _alter(tables: dict[str, str], schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table, room in tables.items():
            schema_editor.execute(f"ALTER TABLE {table} {room}")


class Migration(migrations.Migration):
    dependencies = (("findings", "0031_last_seen"),)
    operations = (
        migrations.RunPython(set_room, migrations.RunPython.noop),
        migrations.RunSQL(
            "UPDATE findings_evaluation SET last_seen_at = f.last_seen_at "
            "FROM findings_finding AS f WHERE f.id = findings_evaluation.finding_id",
            "UPDATE findings_finding SET last_seen_at = e.last_seen_at "
            "FROM findings_evaluation AS e WHERE e.finding_id = findings_finding.id",
        ),
        migrations.RunPython(migrations.RunPython.noop, set_former_room),
    )
