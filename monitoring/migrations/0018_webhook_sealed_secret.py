import uuid

from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0017_dossier'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhookendpoint',
            name='mark',
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.AddField(
            model_name='webhookendpoint',
            name='sealed_secret',
            field=accounts.fields.SealedField(about='monitoring.webhook.secret', by='mark', default='', editable=False),
            preserve_default=False,
        ),
    ]
