"""What each finding can be grouped by, in chunks: one that is interrupted begins anew, and writes
what it wrote."""

from types import SimpleNamespace

from django.db import migrations

from config.lib.rows import writer
from findings.grouping import stored_values
from findings.recording.rows import as_json

CHUNK = 2_000
COLUMNS = ("tags", "attributes", "resource_id", "resource_name", "resource_type")


def fill(apps, schema_editor):
    finding = apps.get_model("findings", "Finding")
    rows = finding.objects.order_by("pk").values("pk", *COLUMNS)
    after = 0
    while chunk := list(rows.filter(pk__gt=after)[:CHUNK]):
        after = chunk[-1]["pk"]
        found = ((row["pk"], stored_values(SimpleNamespace(**row))) for row in chunk)
        filled = [(pk, as_json(values)) for pk, values in found if values]
        if filled:
            writer().update(finding, ("grouping",), filled)


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("findings", "0018_grouping"),)
    operations = (migrations.RunPython(fill, migrations.RunPython.noop),)
