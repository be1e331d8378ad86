from typing import Any

from django.contrib.auth.forms import AuthenticationForm

from accounts.models import User


class LoginForm(AuthenticationForm):
    """Login or e-mail, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Login or e-mail"
        # Django takes the length of a login; an e-mail may be longer.
        self.fields["username"].widget.attrs["maxlength"] = User._meta.get_field("email").max_length
