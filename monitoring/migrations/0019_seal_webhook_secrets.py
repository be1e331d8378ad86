import uuid

from django.db import migrations

from accounts import sealing

ABOUT = 'monitoring.webhook.secret'


def seal(apps, schema_editor):
    """Each under a mark of its own: the column came with one for all."""
    for row in apps.get_model('monitoring', 'WebhookEndpoint').objects.all():
        row.mark = uuid.uuid4()
        row.sealed_secret = sealing.seal(row.secret, about=f'{ABOUT}:{row.mark}')
        row.save(update_fields=['mark', 'sealed_secret'])


def unseal(apps, schema_editor):
    for row in apps.get_model('monitoring', 'WebhookEndpoint').objects.all():
        row.secret = sealing.unseal(row.sealed_secret, about=f'{ABOUT}:{row.mark}')
        row.save(update_fields=['secret'])


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0018_webhook_sealed_secret'),
    ]

    operations = [migrations.RunPython(seal, unseal)]
