import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0019_seal_webhook_secrets'),
    ]

    operations = [
        # First a default, so that going back has something to put there until the secrets are opened.
        migrations.AlterField(
            model_name='webhookendpoint',
            name='secret',
            field=models.CharField(default='', max_length=100, validators=[django.core.validators.MinLengthValidator(16)]),
        ),
        migrations.RemoveField(
            model_name='webhookendpoint',
            name='secret',
        ),
    ]
