from django.db import migrations
from django.db.models import Min, Q
from django.utils.timezone import now

SPOKEN = [('heart_rate', 'asystole'), ('respiratory_rate', 'apnoea')]
STRUCK = ['artifact', 'calibrating', 'no_signal', 'probe_off']
SIGNS = ['heart_rate', 'spo2', 'respiratory_rate', 'systolic_bp', 'diastolic_bp', 'mean_bp', 'body_temp']


def sum_up_again(apps, schema_editor):
    """What was summed up before did not mind the words beside the numbers: from the first such word on it is done again."""
    said = Q(*((f'status__{sign}', word) for sign, word in SPOKEN), _connector=Q.OR)
    for sign in SIGNS:
        said |= Q(**{f'status__{sign}__in': STRUCK})
    first = apps.get_model('monitoring', 'Vital').objects.exclude(status={}).filter(said).order_by()
    spans = apps.get_model('monitoring', 'UnreadSpan').objects.filter(until=None)
    for patient, at in first.values('patient').annotate(at=Min('measured_at')).values_list('patient', 'at'):
        since = at.replace(second=0, microsecond=0)
        spans.filter(patient=patient, since__gt=since).update(since=since, look_at=now())


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0026_minutes_anew'),
    ]

    operations = [migrations.RunPython(sum_up_again, migrations.RunPython.noop)]
