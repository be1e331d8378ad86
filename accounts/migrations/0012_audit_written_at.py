import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Without a value for entries that are there: it would break their seals."""

    dependencies = [("accounts", "0011_audit_of_services")]

    operations = [
        migrations.AddField("auditentry", "written_at", models.DateTimeField(null=True, editable=False)),
        migrations.AlterField(
            "auditentry",
            "written_at",
            models.DateTimeField(default=django.utils.timezone.now, null=True, editable=False),
        ),
    ]
