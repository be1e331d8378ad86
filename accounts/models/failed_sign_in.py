from axes.models import AccessAttempt


class FailedSignIn(AccessAttempt):
    """Wrong passwords for a login from one address and one browser, as django-axes counts them."""

    class Meta:
        proxy = True
        verbose_name = "failed sign-in"

    def __str__(self) -> str:
        return f"{self.username} from {self.ip_address or 'an unknown address'}"
