from datetime import datetime, timezone

from django.db import migrations
from django.utils.timezone import now

BEGINNING = datetime(1900, 1, 1, tzinfo=timezone.utc)


def begin(apps, schema_editor):
    """Who was admitted before this release is summed up by the watcher, hour by hour."""
    UnreadSpan = apps.get_model('monitoring', 'UnreadSpan')
    admitted = apps.get_model('monitoring', 'Admission').objects.values_list('patient', flat=True).distinct()
    rows = [UnreadSpan(patient_id=patient, since=BEGINNING, look_at=now()) for patient in admitted]
    UnreadSpan.objects.bulk_create(rows, batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0023_minutes'),
    ]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
