"""Room for a rule's action, and for decisions of other kinds. `0007` fills it, `0008` takes the
columns away that it replaces."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("automation", "0005_evaluation_attempts"),)

    operations = (
        migrations.AddField(
            model_name="rule",
            name="action",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="historicalrule",
            name="action",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="decision",
            name="kind",
            field=models.CharField(
                max_length=20, default="ticket_creation", db_default="ticket_creation"
            ),
        ),
        migrations.AlterField("rule", "kind", models.CharField(max_length=20, editable=False)),
        migrations.AlterField(
            "historicalrule", "kind", models.CharField(max_length=20, editable=False)
        ),
        migrations.AlterField(
            "ruleset", "kind", models.CharField(max_length=20, primary_key=True, serialize=False)
        ),
        migrations.AlterField("rulesetversion", "kind", models.CharField(max_length=20)),
    )
