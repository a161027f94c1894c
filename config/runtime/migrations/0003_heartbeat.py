from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('runtime', '0002_task_failures'),
    ]

    operations = [
        migrations.RenameModel(old_name='Beat', new_name='Heartbeat'),
    ]
