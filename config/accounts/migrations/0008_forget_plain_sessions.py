"""Sessions are stored under a digest from now on: the old rows hold keys that a cookie could send."""

from django.db import migrations


def forget(apps, schema_editor):
    sessions = apps.get_model("sessions", "Session").objects.using(schema_editor.connection.alias)
    sessions.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_password_change_and_session_generation"),
        ("sessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
