"""What holds findings is kept by no browser and no proxy."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    ["/", "/findings", "/findings?q=x", "/cases", "/rules", "/settings/audit", "/admin/",
     "/api/v1/findings", "/api/v2/security/findings", "/no-such-page", "/login"],
)  # fmt: skip
def test_it_is_stored_nowhere(as_user, admin, address):
    assert "no-store" in as_user(admin).get(address).headers["Cache-Control"]


def test_it_stores_no_file_that_is_exported(as_user, admin):
    answer = as_user(admin).get(reverse("findings:explorer-export"))
    assert "no-store" in answer.headers["Cache-Control"]
    answer.getvalue()  # which closes it


def test_it_stores_no_answer_to_a_stranger_either(client):
    assert "no-store" in client.get("/api/v1/findings").headers["Cache-Control"]
