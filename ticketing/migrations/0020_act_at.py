from django.db import migrations, models


class Migration(migrations.Migration):
    """When the queue has to act next, worked out by the database for every row there is.

    One statement, which writes the table anew: 300,000 rows take seconds.
    """

    dependencies = [
        ('ticketing', '0019_newest_number'),
    ]

    operations = [
        migrations.AddField(
            model_name='externalissue',
            name='act_at',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state__in=['pending', 'unsure'], then=models.F('not_before')), models.When(state='sending', then=models.F('lease_until')), models.When(lookups__lt=2, then=models.F('not_before'), was_unsure=True), default=None), output_field=models.DateTimeField(null=True)),
        ),
        migrations.AddIndex(
            model_name='externalissue',
            index=models.Index(condition=models.Q(('act_at__isnull', False)), fields=['account', 'act_at'], name='issue_act_at'),
        ),
    ]
