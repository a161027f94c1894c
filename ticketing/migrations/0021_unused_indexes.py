from django.db import migrations


class Migration(migrations.Migration):
    """What the index on `act_at` has replaced."""

    dependencies = [
        ('ticketing', '0020_act_at'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='externalissue',
            name='issue_due',
        ),
        migrations.RemoveIndex(
            model_name='externalissue',
            name='issue_lease',
        ),
        migrations.RemoveIndex(
            model_name='externalissue',
            name='issue_late_look',
        ),
    ]
