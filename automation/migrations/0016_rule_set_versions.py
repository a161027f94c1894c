from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("automation", "0015_decisions_of_findings_that_left"),)
    operations = (
        migrations.AlterField("rulesetversion", "rules", models.JSONField(null=True)),
        migrations.AddField("rulesetversion", "changes", models.JSONField(null=True)),
        migrations.AddField("rulesetversion", "base", models.PositiveIntegerField(null=True)),
    )
