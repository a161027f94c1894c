"""Actions on chosen findings: the form that asks how, as a dialog or as a page of its own, and
the way back to where the person was."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from config.lib.return_address import referring_page, return_address
from findings.forms import count_label


def render_action_form(
    request: HttpRequest,
    hidden: Sequence[tuple[str, str]],
    form: forms.Form,
    *,
    title: str,
    label: str,
    text: str = "",
    action: str = "",
) -> HttpResponse:
    """The form, with the chosen findings hidden in it; it goes to `action`, or where it is asked.

    A form that was sent in vain comes back as 422.
    """
    in_dialog = "HX-Request" in request.headers
    context = {
        "hidden": hidden,
        "action": action or request.path,
        "form": form,
        "title": title,
        "label": label,
        "text": text,
        "next": way_back(request),
        "in_dialog": in_dialog,
    }
    template = "findings/_action.html" if in_dialog else "findings/action.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def nothing_chosen(request: HttpRequest) -> HttpResponse:
    messages.error(request, "None of the selected findings exists any more.")
    return back(request)


def back(request: HttpRequest, *, gone: int = 0) -> HttpResponse:
    """To the page that the action was asked for on; its toasts say what was done."""
    if gone:
        messages.warning(request, f"{count_label(gone)} no longer existed and were left out.")
    target = way_back(request)
    if "HX-Request" in request.headers:
        return HttpResponseClientRedirect(target)
    return redirect(target)


def way_back(request: HttpRequest) -> str:
    """`next` as the form says, else the page that the request came from, else the explorer."""
    candidates = (
        request.POST.get("next", ""),
        request.GET.get("next", ""),
        referring_page(request),
    )
    return return_address(request, *candidates) or reverse("findings:finding-list")
