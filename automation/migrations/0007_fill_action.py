"""The action of each rule, and of each row of its history, from the columns it had. In chunks:
one that is interrupted goes on with what is left."""

from django.db import migrations

CHUNK = 500


def fill(apps, schema_editor):
    for name in ("Rule", "HistoricalRule"):
        rows = apps.get_model("automation", name).objects.filter(action__isnull=True).order_by("pk")
        while chunk := list(rows[:CHUNK]):
            for row in chunk:
                row.action = action(row)
            type(chunk[0]).objects.bulk_update(chunk, ["action"])


def action(row):
    members = {
        "target": row.target,
        "project_id": str(row.project_id),
        "max_tickets_per_day": row.max_tickets_per_day,
        "assignee_id": str(row.assignee_id) if row.assignee_id else None,
        "fields": row.fields,
    }
    return {name: value for name, value in members.items() if value is not None}


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("automation", "0006_action"),)
    operations = (migrations.RunPython(fill, migrations.RunPython.noop),)
