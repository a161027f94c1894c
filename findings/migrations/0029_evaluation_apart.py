"""The findings say nothing of their evaluation any more. Triggers that read it go first: those of
now are installed after `migrate`."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from findings.facts import Ticket
from findings.trends import marks


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    marks.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = (("findings", "0028_fill_evaluation"),)
    operations = (
        migrations.RunPython(remove, remove),
        *(
            migrations.RemoveIndex("finding", name)
            for name in (
                "finding_unevaluated",
                "finding_over_limit",
                "finding_recheck",
                "finding_automated",
            )
        ),
        *(
            migrations.RemoveField("finding", name)
            for name in ("decided_at", "recheck_since", "unevaluated_since")
        ),
        migrations.AddIndex(
            "finding",
            models.Index(
                fields=("ticket_rule_id", "id"),
                condition=models.Q(ticket=Ticket.OVER_LIMIT),
                name="finding_over_limit",
            ),
        ),
    )
