"""A form that is sent twice is done once: what `{% submission_id %}` in it is for.

The claim, the work and where it led are one transaction: a process that dies leaves none of
them. Of two at once the second waits for the first, and is led where that was. Only the same
form with the same content counts: who goes back and types something else means it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from config.accounts.access import signed_in
from config.accounts.models import KeptAnswer
from config.lib.ui_tags import SUBMISSION_ID

SENT_TWICE = "The form was sent twice. It was processed once."
_FIRST_ERROR = 400


def submit_once(
    request: HttpRequest,
    work: Callable[[], HttpResponse],
    *,
    otherwise: str = "/",
    sent_twice: str = SENT_TWICE,
) -> HttpResponse:
    """Do `work` in one transaction, unless the same form was sent before: then go where that led.

    `work` writes nowhere but in the database, and may raise or answer with an error, which undoes
    everything. `otherwise` is where to go if its answer was a page, which is not shown again.
    """
    if not request.POST.get(SUBMISSION_ID):
        return work()
    kept = KeptAnswer(owner=signed_in(request).pk, key=_key(request))
    with transaction.atomic():
        try:
            with transaction.atomic():
                kept.save(force_insert=True)
        except IntegrityError:
            return _again(request, kept, otherwise=otherwise, text=sent_twice)
        answer = work()
        if answer.status_code >= _FIRST_ERROR:
            transaction.set_rollback(True)  # it says what is wrong: nothing was done
            return answer
        target = answer.headers.get("HX-Redirect") or answer.headers.get("Location", "")
        KeptAnswer.objects.filter(pk=kept.pk).update(status=answer.status_code, body=target)
    return answer


def sent_before(
    request: HttpRequest, *, otherwise: str = "/", sent_twice: str = SENT_TWICE
) -> HttpResponse | None:
    """Where the same form led, if it was sent before: for one that is refused because what it is
    to make is there."""
    if not request.POST.get(SUBMISSION_ID):
        return None
    kept = KeptAnswer(owner=signed_in(request).pk, key=_key(request))
    if not KeptAnswer.objects.filter(owner=kept.owner, key=kept.key).exists():
        return None
    return _again(request, kept, otherwise=otherwise, text=sent_twice)


def _again(request: HttpRequest, kept: KeptAnswer, *, otherwise: str, text: str) -> HttpResponse:
    before = KeptAnswer.objects.filter(owner=kept.owner, key=kept.key)
    target = before.values_list("body", flat=True).first() or otherwise
    messages.info(request, text)
    if "HX-Request" in request.headers:
        return HttpResponseClientRedirect(target)
    return redirect(target)


def _key(request: HttpRequest) -> str:
    """No name that a client of the API could give a request: those are printable."""
    fields = sorted((name, request.POST.getlist(name)) for name in request.POST)
    content = json.dumps([request.path, [each for each in fields if each[0] != _CSRF]])
    return f"form\n{hashlib.sha256(content.encode()).hexdigest()}"


_CSRF = "csrfmiddlewaretoken"
