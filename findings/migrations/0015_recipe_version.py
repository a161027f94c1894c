from django.db import migrations, models


class Migration(migrations.Migration):
    """No row of the findings is written or read: neither database makes the table anew."""

    dependencies = [
        ("findings", "0014_unread_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="finding",
            name="recipe_version",
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="scope",
            name="recipe_version",
            field=models.SmallIntegerField(db_default=1, default=1),
        ),
    ]
