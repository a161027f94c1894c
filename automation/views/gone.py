"""A rule can be deleted between a page's look at it and what the page does with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.http import Http404

from automation.models import Rule

P = ParamSpec("P")
R = TypeVar("R")


def gone_is_404(view: Callable[P, R]) -> Callable[P, R]:
    """Answer 404 when a service says that the rule is not there any more."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return view(*args, **kwargs)
        except Rule.DoesNotExist:
            raise Http404 from None

    return answer
