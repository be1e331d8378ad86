from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_newest_device_keys_are_current")]

    operations = [
        migrations.AlterField(
            "devicekey", "is_current", models.BooleanField("current", null=True, default=True, editable=False)
        ),
        migrations.AddConstraint(
            "device",
            models.CheckConstraint(
                condition=Q(requests_per_second__isnull=True) | Q(requests_per_second__gte=1), name="device_may_send"
            ),
        ),
        migrations.AddConstraint(
            "devicekey", models.UniqueConstraint(fields=["device", "is_current"], name="device_key_one_current_a_device")
        ),
        migrations.AddConstraint(
            "devicekey",
            models.CheckConstraint(
                condition=Q(is_current__isnull=True) | Q(is_current=True, ends_at__isnull=True, revoked_at__isnull=True),
                name="device_key_current_has_no_end",
            ),
        ),
    ]
