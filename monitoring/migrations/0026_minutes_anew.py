from datetime import datetime, timezone

from django.db import migrations
from django.utils.timezone import now

BEGINNING = datetime(1900, 1, 1, tzinfo=timezone.utc)


def begin_anew(apps, schema_editor):
    """What was summed up before did not count its readings: the watcher sums it up again."""
    apps.get_model('monitoring', 'Minute').objects.all().delete()
    apps.get_model('monitoring', 'UnreadSpan').objects.filter(until=None).update(since=BEGINNING, look_at=now())


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0025_minute_readings'),
    ]

    operations = [migrations.RunPython(begin_anew, migrations.RunPython.noop)]
