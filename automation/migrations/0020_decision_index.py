"""The index of `one_outcome_per_evaluation` begins with the finding and serves it. Only the other index
goes: `AlterField` would check a million keys anew, and make the table anew on SQLite."""

import django.db.models.deletion
from django.db import migrations, models

_NAME = "automation_decision_finding_id_cc1939dc"


class Migration(migrations.Migration):
    dependencies = (
        ("automation", "0019_facts_of_the_finding"),
        ("findings", "0030_open_due"),
    )
    operations = (
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    f'DROP INDEX IF EXISTS "{_NAME}"',
                    f'CREATE INDEX "{_NAME}" ON automation_decision (finding_id)',
                )
            ],
            [
                migrations.AlterField(
                    "decision",
                    "finding",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="findings.finding",
                    ),
                )
            ],
        ),
    )
