from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone
from unfold.forms import UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.accounts.models import ApiKey, User
from config.accounts.roles import Permission, Role

_LONGEST_ADDRESS = 254
_A_YEAR = timedelta(days=365)


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


class KeyForm(forms.Form):
    """On the page: a new key, its scopes, and the last day on which it works."""

    name = forms.CharField(
        max_length=120,
        help_text="Name it after the machine that will use it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "ci-grype"}),
        error_messages={"required": "Name the key after the machine that will use it."},
    )
    scopes = forms.TypedMultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Permission],
        coerce=Permission,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one scope."},
    )
    expires_on = forms.DateField(
        label="Expires",
        required=False,
        help_text="The last day on which it works, in UTC. Left empty, it works until it is "
        "revoked.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("expires_on", timezone.now().date() + _A_YEAR)

    def clean_expires_on(self) -> datetime | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day is None:
            return None
        if day < timezone.now().date():
            raise forms.ValidationError("Choose a day that is not over.")
        return datetime.combine(day, time.max, tzinfo=UTC)


class PersonForm(forms.Form):
    """On the page: who somebody is here, and what they may do."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=[(role.value, role.label) for role in Role])


class NewPersonForm(PersonForm):
    email = forms.EmailField(
        max_length=_LONGEST_ADDRESS,
        help_text="What they sign in with.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "email", "role")


class EditPersonForm(PersonForm):
    is_active = forms.BooleanField(label="May sign in", required=False)
