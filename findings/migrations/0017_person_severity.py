from django.db import migrations
from django.db.models import F, Max

CHUNK = 50_000


def name_the_person(apps, schema_editor):
    """Until now only people set severities. Goes on where it was cut off: what is done is left."""
    findings = apps.get_model("findings", "Finding").objects
    last = findings.aggregate(last=Max("pk"))["last"] or 0
    for start in range(0, last + 1, CHUNK):
        chunk = findings.filter(pk__gte=start, pk__lt=start + CHUNK, person_severity="")
        chunk.exclude(base_severity="").update(person_severity=F("severity"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("findings", "0016_rule_effects"),
    ]

    operations = [
        migrations.RunPython(name_the_person, migrations.RunPython.noop),
    ]
