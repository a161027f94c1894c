from django.db import migrations, models


class Migration(migrations.Migration):
    """Several creates in flight for a space, each in a slot and with the worker that sends it.

    A worker of the version before takes slot 0, and only while no other is in use.
    """

    dependencies = [
        ('ticketing', '0016_comment_owners'),
    ]

    operations = [
        migrations.AddField(
            model_name='externalissue',
            name='slot',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='externalissue',
            name='worker',
            field=models.CharField(blank=True, db_default='', default='', max_length=255),
        ),
        migrations.AddField(
            model_name='externalissue',
            name='proof_from',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name='externalissue',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'sending')), fields=('account', 'space_id', 'slot'), name='one_create_in_flight_per_slot'),
        ),
        migrations.RemoveConstraint(
            model_name='externalissue',
            name='one_create_in_flight_per_space',
        ),
    ]
