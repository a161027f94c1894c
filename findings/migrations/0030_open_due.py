from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = (("findings", "0029_evaluation_apart"),)
    operations = (
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                fields=("due_at", "severity"),
                condition=Q(due_at__isnull=False, status__in=("open", "in-progress")),
                name="finding_open_due",
            ),
        ),
    )
