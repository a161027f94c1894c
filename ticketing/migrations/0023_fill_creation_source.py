"""Cases that have findings were made for them, as far as anybody can still tell. Begun again, it
goes on with those that do not say so yet."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    attached = apps.get_model("ticketing", "Attachment").objects.values("case")
    cases = apps.get_model("ticketing", "Case").objects.filter(creation_source="MANUAL")
    cases.filter(pk__in=attached).update(creation_source="CS_SECURITY_FINDING")


class Migration(migrations.Migration):
    dependencies = (("ticketing", "0022_creation_source"),)
    operations = (migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),)
