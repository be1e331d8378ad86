from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0009_scale_change")]

    operations = [
        migrations.AddField("alarmstate", "heard_at", models.DateTimeField(null=True)),
        migrations.AddField("alarmstate", "link_lost", models.BooleanField(default=False)),
    ]
