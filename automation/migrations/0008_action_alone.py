"""The columns that `action` replaces go, and one decision a kind may answer each evaluation."""

from django.db import migrations, models
from django.db.models import Q

_COLUMNS = ("assignee_id", "fields", "max_tickets_per_day", "project_id", "target")
_OUTCOMES = (
    "ticketed",
    "over_limit",
    "no_match",
    "already_ticketed",
    "muted",
    "no_rules",
    "error",
    "applied",
)


class Migration(migrations.Migration):
    dependencies = (("automation", "0007_fill_action"),)

    operations = (
        migrations.AlterField("rule", "action", models.JSONField()),
        migrations.AlterField("historicalrule", "action", models.JSONField()),
        migrations.RemoveConstraint("rule", "rule_limit_range"),
        migrations.RemoveConstraint("rule", "rule_target_known"),
        *(
            migrations.RemoveField(model, column)
            for model in ("rule", "historicalrule")
            for column in _COLUMNS
        ),
        migrations.RemoveConstraint("decision", "one_outcome_per_evaluation"),
        migrations.RemoveConstraint("decision", "decision_outcome_known"),
        migrations.AlterField(
            "decision",
            "outcome",
            models.CharField(
                max_length=16,
                choices=[(name, name.replace("_", " ").title()) for name in _OUTCOMES],
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(
                fields=("finding", "kind", "requested_at"), name="one_outcome_per_evaluation"
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=Q(outcome__in=_OUTCOMES), name="decision_outcome_known"
            ),
        ),
    )
