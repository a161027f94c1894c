"""What the findings say of their evaluation goes into the table of its own, and back."""

from django.db import migrations

COLUMNS = "unevaluated_since, recheck_since, decided_at"


class Migration(migrations.Migration):
    dependencies = (
        ("findings", "0027_evaluation"),
        ("automation", "0003_decided_at"),  # which fills the column that is read here
    )
    operations = (
        migrations.RunSQL(
            f"INSERT INTO findings_evaluation (finding_id, {COLUMNS}) "  # noqa: S608 our names
            f"SELECT id, {COLUMNS} FROM findings_finding",
            f"UPDATE findings_finding SET ({COLUMNS}) = (SELECT {COLUMNS} "  # noqa: S608
            "FROM findings_evaluation WHERE finding_id = findings_finding.id)",
        ),
    )
