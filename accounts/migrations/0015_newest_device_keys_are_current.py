from django.db import migrations


def mark_newest(apps, schema_editor):
    """The newest living key of each device is its current one; others that live go on, until the device's key is rotated."""
    keys = apps.get_model("accounts", "DeviceKey").objects.using(schema_editor.connection.alias)
    living = keys.filter(revoked_at=None).order_by("created_at", "pk").values_list("device", "pk")
    keys.filter(pk__in=list(dict(living).values())).update(is_current=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_device_key_lifetimes")]

    operations = [migrations.RunPython(mark_newest, migrations.RunPython.noop)]
