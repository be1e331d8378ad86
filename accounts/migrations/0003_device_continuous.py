from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_ward_nurses_set_limits")]

    operations = [
        migrations.AddField(
            "device",
            "is_continuous",
            models.BooleanField(
                "continuous",
                default=False,
                help_text="What it measures is missed when it falls silent, also when it sends less often than once a minute.",
            ),
        ),
    ]
