"""Every due date that a case has so far was said by a person or a client: findings do not change
it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    cases = apps.get_model("ticketing", "Case").objects.filter(due_date__isnull=False)
    cases.update(is_due_by_hand=True)


class Migration(migrations.Migration):
    dependencies = (("ticketing", "0029_due_dates"),)
    operations = (migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),)
