import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ticketing', '0012_sync_rests'),
    ]

    operations = [
        migrations.CreateModel(
            name='SpacePoll',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('space_id', models.CharField(max_length=64)),
                ('polled_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.TextField(blank=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ticketing.jiraaccount')),
            ],
        ),
        migrations.AddConstraint(
            model_name='spacepoll',
            constraint=models.UniqueConstraint(fields=('account', 'space_id'), name='space_poll_unique'),
        ),
    ]
