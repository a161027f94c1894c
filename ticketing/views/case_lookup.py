"""The case that an address names."""

from __future__ import annotations

from django.http import Http404
from django.urls import reverse

from ticketing.models import Case
from ticketing.selectors import case_by_key


def case_or_404(key: str) -> Case:
    case = case_by_key(key)
    if case is None:
        raise Http404
    return case


def case_url(case: Case) -> str:
    return reverse("ticketing:case-show", args=[case.key])
