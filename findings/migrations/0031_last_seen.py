from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("findings", "0030_open_due"),)
    operations = (
        migrations.AddField(
            model_name="evaluation",
            name="last_seen_at",
            field=models.DateTimeField(null=True),
        ),
    )
