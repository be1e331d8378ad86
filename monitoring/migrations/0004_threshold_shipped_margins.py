from django.db import migrations


def take_the_shipped_ones(apps, schema_editor):
    """Until now nobody could set a delay or a margin: every stored 0 meant "the shipped one", which is said by NULL."""
    rows = apps.get_model("monitoring", "Threshold").objects
    rows.filter(delay=0).update(delay=None)
    rows.filter(margin=0).update(margin=None)


class Migration(migrations.Migration):

    dependencies = [("monitoring", "0003_threshold_overrides_and_history")]

    operations = [migrations.RunPython(take_the_shipped_ones, migrations.RunPython.noop)]
