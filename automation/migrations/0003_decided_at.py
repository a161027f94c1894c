"""When each finding was last decided, from its newest decision. In chunks, each committed: begun
again, it goes on with the findings that have no time yet."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Max, OuterRef, Subquery

CHUNK = 5_000


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    findings = apps.get_model("findings", "Finding").objects
    decisions = apps.get_model("automation", "Decision").objects
    newest = decisions.filter(finding=OuterRef("pk")).order_by("-id").values("created_at")[:1]
    last = findings.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, CHUNK):
        chunk = findings.filter(pk__gte=first, pk__lt=first + CHUNK, decided_at=None)
        chunk.update(decided_at=Subquery(newest))


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("automation", "0002_jira"), ("findings", "0012_decided_at"))
    operations = (migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),)
