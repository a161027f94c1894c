from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """E-mail and password. What is wrong is never said: an address must not be guessable."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "Email or password is wrong."
    }

    def clean_username(self) -> str:
        """One spelling of an address, or each spelling would have its own five attempts."""
        email: str = self.cleaned_data["username"]
        return email.strip().lower()
