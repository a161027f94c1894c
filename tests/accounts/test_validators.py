"""Which passwords are refused, without asking any network."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.factories import UserFactory


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "Password1234!", "P@ssw0rd2024!", "qwertyuiop123", "1qaz2wsx3edc4rfv"),
        *("iloveyou1234", "Liverpool2019!", "letmeinletmein", "administrator1", "Summer2025!!"),
        *(
            "q1w2e3r4t5y6",
            "abcdefghijklm",
            "aaaaaaaaaaaaaaaa",
            "findingsautomation",
            "ichliebedich",
        ),
        *(
            "maya.okafor1990",
            "mayaokafor2026",
            "maya@example.com1",
            "a" * 100_000,
            "pe#5gz29ptzmse",
        ),
    ],
)
def test_it_refuses_leaked_passwords_and_what_is_derived_from_them(password):
    maya = UserFactory.build(email="maya@example.com", name="Maya Okafor")
    with pytest.raises(ValidationError) as caught:
        validate_password(password, maya)
    assert any("leaked passwords" in message for message in caught.value.messages)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "9hT2x-kQ0_bbA3",
        "monkey-dragon-1x",
        "夕焼けの丘で会いましょうね🦊",
        "é" * 3 + "qT7x0pLw2v",
    ],
)
def test_it_takes_words_that_nobody_would_put_together(password):
    validate_password(password, UserFactory.build(name="", email="x@example.com"))


@pytest.mark.parametrize("password", ["", "\0" * 12, "🦊", "\ud800" * 12, "x" * 71 + "\n"])
def test_it_survives_a_hostile_password(password):
    with pytest.raises(ValidationError):
        validate_password(password)
