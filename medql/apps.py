from django.apps import AppConfig


class MedQLConfig(AppConfig):
    name = "medql"
    verbose_name = "MedQL"

    def ready(self) -> None:
        from medql import checks  # noqa: F401  (registers the checks)
