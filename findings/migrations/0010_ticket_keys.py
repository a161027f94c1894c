"""A ticket is found by either of its keys. SQLite has no index into JSON and looks at the findings
that have a ticket."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Q


def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX finding_issue_key ON findings_finding"
            " USING gin (workflow jsonb_path_ops) WHERE ticket_key <> ''"
        )


def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX finding_issue_key")


class Migration(migrations.Migration):
    dependencies = (("findings", "0009_correlation"),)
    operations = (
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=~Q(ticket_key=""), fields=["ticket_key"], name="finding_ticket_key"
            ),
        ),
        migrations.RunPython(create, drop),
    )
