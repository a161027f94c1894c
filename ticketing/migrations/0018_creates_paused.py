from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ticketing', '0017_delivery_slots'),
    ]

    operations = [
        migrations.AddField(
            model_name='jiraaccount',
            name='unsure_in_a_row',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='creates_paused_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='jiraaccount',
            name='served_by',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=255),
        ),
    ]
