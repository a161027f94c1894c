from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import UniqueConstraint

from config.lib.hash_unique import HashUniqueConstraint

NAME = "finding_public_id"
B_TREE = UniqueConstraint(fields=("finding_id",), name=NAME)
HASHED = HashUniqueConstraint(fields=("finding_id",), name=NAME)


def hash_it(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _replace(B_TREE, HASHED, apps, schema_editor)


def sort_it(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _replace(HASHED, B_TREE, apps, schema_editor)


def _replace(
    old: UniqueConstraint,
    new: UniqueConstraint,
    apps: StateApps,
    schema_editor: BaseDatabaseSchemaEditor,
) -> None:
    """On SQLite they are the same, and the table need not be made anew."""
    if schema_editor.connection.vendor == "postgresql":
        finding = apps.get_model("findings", "Finding")
        schema_editor.remove_constraint(finding, old)
        schema_editor.add_constraint(finding, new)


class Migration(migrations.Migration):
    dependencies = (("findings", "0033_last_seen_apart"),)
    operations = (
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(hash_it, sort_it)],
            state_operations=[
                migrations.RemoveConstraint("finding", NAME),
                migrations.AddConstraint("finding", HASHED),
            ],
        ),
    )
