from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from accounts.hashing import LONGEST
from accounts.models import User

# What no browser sends by mistake: refused as a request, before anything is asked of the database.
UNUSABLE = {"max_length", "null_characters_not_allowed"}


class LoginForm(AuthenticationForm):
    """Login or e-mail, and the password."""

    # Django takes the length of a login; an e-mail may be longer.
    username = UsernameField(label="Login or e-mail", max_length=User._meta.get_field("email").max_length)
    password = forms.CharField(
        strip=False, max_length=LONGEST, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    error_messages = {"invalid_login": "That login and password do not belong together.", "inactive": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autofocus": True, "maxlength": User._meta.get_field("email").max_length}

    @property
    def is_unusable(self) -> bool:
        return any(error.code in UNUSABLE for errors in self.errors.as_data().values() for error in errors)
