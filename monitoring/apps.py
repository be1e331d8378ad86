from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "Patients, vital signs and alerts"

    def ready(self) -> None:
        from monitoring import receivers  # noqa: F401  (a vital saved singly reaches the alert service)
