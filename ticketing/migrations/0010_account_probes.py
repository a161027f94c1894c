from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ticketing', '0009_bulk_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='jiraaccount',
            name='probe_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='probed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='probes',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='historicaljiraaccount',
            name='state',
            field=models.CharField(choices=[('connected', 'Connected'), ('suspected', 'Being checked'), ('auth_failed', 'Authentication failed'), ('broken', 'Not reachable')], default='connected', editable=False, max_length=12),
        ),
        migrations.AlterField(
            model_name='jiraaccount',
            name='state',
            field=models.CharField(choices=[('connected', 'Connected'), ('suspected', 'Being checked'), ('auth_failed', 'Authentication failed'), ('broken', 'Not reachable')], default='connected', editable=False, max_length=12),
        ),
    ]
