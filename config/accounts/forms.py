from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils import timezone
from unfold.forms import UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.accounts.access import signed_in
from config.accounts.models import ApiKey, User
from config.accounts.people import KeyFate, keys_losing
from config.accounts.roles import Permission, Role

_MAX_ADDRESS = 254
_A_YEAR = timedelta(days=365)


class LoginForm(AuthenticationForm):
    """E-mail and password. What is wrong is never said: an address must not be guessable."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "Email or password is wrong."
    }

    def clean_username(self) -> str:
        """One spelling of an address, or each spelling would have its own five attempts."""
        email: str = self.cleaned_data["username"]
        if len(email) > _MAX_ADDRESS:
            raise self.get_invalid_login_error()  # the table of failures could not hold it
        return email.strip().lower()


class OwnPasswordForm(forms.Form):
    """On the page: the old password, and the new one twice."""

    current_password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        strip=False,
        help_text="At least 12 characters. Four random words will do, or a password from a "
        "password manager.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label="New password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request
        self._person = signed_in(request)

    def clean_current_password(self) -> str:
        """Counts as a sign-in, so that a stolen session may not guess without end."""
        password: str = self.cleaned_data["current_password"]
        if authenticate(self._request, username=self._person.email, password=password) is None:
            raise forms.ValidationError("This is not your current password.")
        return password

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        validate_password(password, self._person)
        if password == self.cleaned_data.get("current_password"):
            raise forms.ValidationError("Choose a password other than the current one.")
        return password

    def clean_repeated(self) -> str:
        password: str = self.cleaned_data["repeated"]
        if password != self.cleaned_data.get("new_password", password):
            raise forms.ValidationError("The two new passwords differ.")
        return password


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
        help_text="The last day on which it works, in UTC. If left empty, it works until it is "
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
            raise forms.ValidationError("Choose today or a later day.")
        return datetime.combine(day, time.max, tzinfo=UTC)


def _team() -> forms.CharField:
    return forms.CharField(
        max_length=100,
        required=False,
        help_text="As in the “team:” tag of its findings. Upper and lower case matter.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "teams"}),
    )


class TeamForm(forms.Form):
    """On the page: which team is one's own."""

    team = _team()


class PersonForm(forms.Form):
    """On the page: who somebody is here, and what they may do."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=[(role.value, role.label) for role in Role])
    team = _team()


class NewPersonForm(PersonForm):
    email = forms.EmailField(
        max_length=_MAX_ADDRESS,
        help_text="What they sign in with.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "email", "role", "team")


def _key_fate() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label="Their API keys",
        required=False,
        coerce=KeyFate,
        empty_value=None,
        choices=[
            (KeyFate.REVOKE, "Revoke them: anything that still uses them will be refused"),
            (KeyFate.KEEP, "Keep them: I take responsibility for what they do"),
        ],
        widget=forms.RadioSelect,
    )


class EditPersonForm(PersonForm):
    is_active = forms.BooleanField(label="May sign in", required=False)
    keys = _key_fate()


class PersonChangeForm(forms.ModelForm):  # type: ignore[type-arg]
    """In the admin: the same question about keys as on the page."""

    keys = _key_fate()

    class Meta:
        model = User
        fields = ("name", "role", "is_active")

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if {"role", "is_active"} <= cleaned.keys() and not cleaned.get("keys"):
            role, is_active = Role(cleaned["role"]), cleaned["is_active"]
            if losing := keys_losing(self.instance, role=role, is_active=is_active):
                names = ", ".join(key.name for key in losing)
                self.add_error("keys", f"Select what happens to the API keys ({names}).")
        return cleaned
