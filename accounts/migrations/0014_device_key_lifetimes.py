import django.core.validators
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_failed_sign_in")]

    operations = [
        migrations.AddField(
            "device",
            "requests_per_second",
            models.PositiveSmallIntegerField(
                null=True,
                blank=True,
                validators=[django.core.validators.MinValueValidator(1)],
                help_text="How often it may send, on average over 10 s. Empty: as often as others of its kind.",
            ),
        ),
        migrations.AddField("devicekey", "used_at", models.DateTimeField("last used", null=True, editable=False)),
        migrations.AddField("devicekey", "ends_at", models.DateTimeField("goes on until", null=True, editable=False)),
        # No key is current yet: the next migration says which are.
        migrations.AddField("devicekey", "is_current", models.BooleanField("current", null=True, editable=False)),
        migrations.AlterField(
            "devicekey", "created_at", models.DateTimeField("issued", default=django.utils.timezone.now, editable=False)
        ),
        migrations.AlterField(
            "devicekey", "revoked_at", models.DateTimeField("revoked", null=True, blank=True, editable=False)
        ),
    ]
