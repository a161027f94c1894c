from __future__ import annotations

from datetime import datetime

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone
from unfold.forms import UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.accounts.models import ApiKey, User
from config.accounts.roles import Permission

_LONGEST_ADDRESS = 254


class LoginForm(AuthenticationForm):
    """E-mail and password. What is wrong is never said: an address must not be guessable."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "Email or password is wrong."
    }

    def clean_username(self) -> str:
        """One spelling of an address, or each spelling would have its own five attempts."""
        email: str = self.cleaned_data["username"]
        if len(email) > _LONGEST_ADDRESS:
            raise self.get_invalid_login_error()  # the table of failures could not hold it
        return email.strip().lower()


class PersonCreationForm(UserCreationForm):
    """In the admin: an account with its first password."""

    usable_password = None

    class Meta:
        model = User
        fields = ("email", "name", "role")


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """In the admin: what a new key may do, and until when."""

    scopes = forms.TypedMultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Permission],
        coerce=Permission,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")

    def clean_expires_at(self) -> datetime | None:
        expires_at: datetime | None = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("Choose a time in the future.")
        return expires_at
