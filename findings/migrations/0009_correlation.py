from django.db import migrations, models

import findings.correlation


class Migration(migrations.Migration):
    dependencies = (("findings", "0008_severity_override"),)
    operations = (
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                findings.correlation.CorrelationId("attributes"), name="finding_correlation"
            ),
        ),
    )
