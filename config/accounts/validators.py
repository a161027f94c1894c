"""What a password must withstand. No network is asked: many installations have none."""

from __future__ import annotations

from threading import Lock

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from config.accounts.models import User

_MIN_SCORE = 4  # of 4: at least 10^10 guesses by somebody who knows how people choose
_MAX_LENGTH = 72  # what zxcvbn takes, and the time it takes grows with its square
_LOCK = Lock()  # zxcvbn keeps the user's own words in a module's variable
_OF_THIS_PRODUCT = ["findings", "automation", "findingsautomation"]


class GuessablePasswordValidator(CommonPasswordValidator):
    """Refuses leaked passwords and what is derived from them.

    Django's list has 20,000 leaked passwords, but only 190 of twelve characters and more. Long
    ones that people choose are made of short ones: `zxcvbn` (MIT) takes a password apart into
    30,000 leaked passwords, words, names, dates, keyboard rows and repetitions, with their usual
    spellings, and counts the guesses. A longer list would weigh more and catch less.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        known = [user.email, *user.email.split("@"), *user.name.split()] if user else []
        is_leaked = password.lower().strip() in self.passwords
        if is_leaked or _score(password, [*known, *_OF_THIS_PRODUCT]) < _MIN_SCORE:
            raise ValidationError(
                "This password is on lists of leaked passwords or easily derived from them. "
                "Use four random words, or one that a password manager made.",
                code="password_too_common",
            )

    def get_help_text(self) -> str:
        return "A password that has leaked somewhere, or is derived from one, is refused."


def _score(password: str, known: list[str]) -> int:
    if not password:
        return 0  # which zxcvbn cannot read
    with _LOCK:
        score: int = zxcvbn(password[:_MAX_LENGTH], user_inputs=known)["score"]
    return score
