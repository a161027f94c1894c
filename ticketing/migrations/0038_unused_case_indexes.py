"""Drops what no statement reads any more: a project's cases are found by the constraint of their
numbers, nobody asks for those that a person created, and no key is searched by how it begins."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FOREIGN_KEYS = ("project_id", "created_by_id")


def _case(apps):
    return apps.get_model("ticketing", "Case")


def drop(apps, schema_editor):
    table = _case(apps)._meta.db_table
    names = [schema_editor._create_index_name(table, [column]) for column in FOREIGN_KEYS]
    names.append(schema_editor._create_index_name(table, ["key"], suffix="_like"))
    for name in names:
        schema_editor.execute(f"DROP INDEX IF EXISTS {schema_editor.quote_name(name)}")


def make(apps, schema_editor):
    case = _case(apps)
    fields = {field.column: field for field in case._meta.concrete_fields}
    for column in FOREIGN_KEYS:
        schema_editor.execute(schema_editor._create_index_sql(case, fields=[fields[column]]))
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(schema_editor._create_like_index_sql(case, fields["key"]))


def _foreign_key(to, **others):
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=to, **others
    )


class Migration(migrations.Migration):
    dependencies = (
        ("ticketing", "0037_case_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )
    operations = (
        migrations.SeparateDatabaseAndState(
            # By hand, as SQLite would copy the table for each.
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.AlterField("case", "project", _foreign_key("ticketing.project")),
                migrations.AlterField(
                    "case",
                    "created_by",
                    _foreign_key(
                        settings.AUTH_USER_MODEL, blank=True, editable=False, null=True
                    ),
                ),
            ],
        ),
    )
