from django.db import migrations


def close_nothing(apps, schema_editor):
    """Imports of before there were scopes have nothing left to decide."""
    imports = apps.get_model("findings", "Import")
    imports.objects.filter(state__in=["done", "refused"]).update(closing="none")


class Migration(migrations.Migration):

    dependencies = [
        ("findings", "0006_scopes"),
    ]

    operations = [
        migrations.RunPython(close_nothing, migrations.RunPython.noop),
    ]
