"""What is asked at the door and about one's own account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts import factors
from accounts.hashing import LONGEST
from accounts.models import User

# What no browser sends by mistake: refused as a request, before anything is asked of the database.
UNUSABLE = {"max_length", "null_characters_not_allowed"}


def password_field(label: str, kind: str = "new-password") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": kind})
    return forms.CharField(label=label, strip=False, max_length=LONGEST, widget=widget)


def is_unusable(form: forms.BaseForm) -> bool:
    return any(error.code in UNUSABLE for errors in form.errors.as_data().values() for error in errors)


class LoginForm(AuthenticationForm):
    """Login or e-mail, and the password."""

    # Django takes the length of a login; an e-mail may be longer.
    username = UsernameField(label="Login or e-mail", max_length=User._meta.get_field("email").max_length)
    password = password_field("Password", "current-password")

    error_messages = {"invalid_login": "That login and password do not belong together.", "inactive": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autofocus": True, "maxlength": User._meta.get_field("email").max_length}


class ShownAgainForm(forms.Form):
    """Before something weighty the password is asked for again; a wrong one counts as one at the door does."""

    password = password_field("Your password", "current-password")

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert isinstance(request.user, User)
        self.request, self.person = request, request.user

    def clean(self) -> dict[str, Any] | None:
        password = self.cleaned_data.get("password")
        # The last question: whatever else is wrong costs no attempt.
        if not self.errors and not authenticate(self.request, username=self.person.login, password=password):
            self.add_error("password", "This is not your password.")
        return super().clean()


class NewPasswordMixin(forms.Form):
    """A password of one's choice, typed twice."""

    new_password = password_field("New password")
    again = password_field("New password again")
    person: User

    def clean(self) -> dict[str, Any] | None:
        new, again = self.cleaned_data.get("new_password"), self.cleaned_data.get("again")
        if new and again and new != again:
            self.add_error("again", "The two are not the same.")
        elif new:
            try:
                validate_password(new, self.person)
            except ValidationError as refused:
                self.add_error("new_password", refused)
        return super().clean()


class ChoosePasswordForm(NewPasswordMixin):
    """For who came by a link."""

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person


class ChangePasswordForm(NewPasswordMixin, ShownAgainForm):
    """For who is signed in."""

    field_order = ("password", "new_password", "again")


class CodeForm(forms.Form):
    """A code of the authenticator, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=factors.LONGEST,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false", "autofocus": True}
        ),
    )


class SetUpForm(CodeForm):
    """For who has just shown his password."""


class SetUpAgainForm(CodeForm, ShownAgainForm):
    """For who is signed in for a while already."""

    field_order = ("code", "password")


class ResetForm(forms.Form):
    """Who forgot the password."""

    word = forms.CharField(
        label="Login or e-mail",
        max_length=User._meta.get_field("email").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
