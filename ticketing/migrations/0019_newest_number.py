import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Begins empty: what is not known is asked of the tracker once, and kept from then on."""

    dependencies = [
        ('ticketing', '0018_creates_paused'),
    ]

    operations = [
        migrations.CreateModel(
            name='NewestNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('space_id', models.CharField(max_length=64)),
                ('number', models.PositiveBigIntegerField()),
                ('at', models.DateTimeField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ticketing.jiraaccount')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'space_id'), name='newest_number_unique')],
            },
        ),
    ]
