from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ticketing', '0010_account_probes'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='jiraaccount',
            name='jira_account_problem_has_state',
        ),
        migrations.AddConstraint(
            model_name='jiraaccount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('problem', ''), ('state', 'connected')), models.Q(('state__in', ['suspected', 'auth_failed', 'broken']), models.Q(('problem', ''), _negated=True)), _connector='OR'), name='jira_account_problem_has_state'),
        ),
    ]
