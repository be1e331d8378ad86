from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People, wards and devices"

    def ready(self) -> None:
        from accounts import checks, receivers  # noqa: F401  (registers them)
