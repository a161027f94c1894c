from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("findings", "0017_person_severity"),)

    operations = (
        migrations.AddField(
            model_name="finding",
            name="grouping",
            field=models.JSONField(db_default={}, default=dict),
        ),
    )
