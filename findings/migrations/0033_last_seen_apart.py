from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = (("findings", "0032_fill_last_seen"),)
    operations = (
        migrations.AlterField(
            model_name="evaluation",
            name="last_seen_at",
            field=models.DateTimeField(),
        ),
        # Changes nothing in the database. Undone, the column comes back with some time in it, and
        # the step before writes the true one.
        migrations.AlterField(
            model_name="finding",
            name="last_seen_at",
            field=models.DateTimeField(default=timezone.now),
        ),
        migrations.RemoveField(model_name="finding", name="last_seen_at"),
    )
