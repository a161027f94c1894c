from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models.functions import Coalesce

NEVER = models.Value(datetime(9000, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())


class Migration(migrations.Migration):
    dependencies = (("findings", "0022_trends"),)
    operations = (
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                models.F("opened_at").desc(), models.F("id").desc(), name="finding_opened"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                Coalesce(models.F("due_at"), NEVER), models.F("id"), name="finding_due_order"
            ),
        ),
    )
