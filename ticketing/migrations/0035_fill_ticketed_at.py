"""Since when each finding is on its ticket, in chunks: one that is interrupted begins anew, and
writes what it wrote."""

from django.db import migrations

from config.lib.rows import writer

CHUNK = 2_000


def fill(apps, schema_editor):
    attachment = apps.get_model("ticketing", "Attachment")
    finding = apps.get_model("findings", "Finding")
    rows = attachment.objects.order_by("pk").values_list("pk", "finding_id", "created_at")
    after = 0
    while chunk := list(rows.filter(pk__gt=after)[:CHUNK]):
        after = chunk[-1][0]
        writer().update(finding, ("ticketed_at",), [row[1:] for row in chunk])


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("ticketing", "0034_bulk_undo"), ("findings", "0022_trends"))
    operations = (migrations.RunPython(fill, migrations.RunPython.noop),)
