from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ticketing', '0011_account_suspected'),
    ]

    operations = [
        migrations.AddField(
            model_name='jiraaccount',
            name='sync_failures',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='sync_paused_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='sync_problem',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='sync_served_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
