"""Keys of machines: listed, made and shown once, revoked."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from config.accounts.access import require, signed_in
from config.accounts.api_keys import create_api_key, revoke_api_key, take_over_api_key
from config.accounts.form_submissions import submit_once
from config.accounts.forms import KeyForm
from config.accounts.models import ApiKey
from config.accounts.roles import Permission
from config.accounts.selectors import listed_keys
from config.lib.toasts import toast

_SENT_TWICE = (
    "The form was sent twice, and one key was created. It was shown only once: if you did "
    "not see it, revoke the key and create another one."
)


@require(Permission.API_KEYS)
@require_GET
def list_keys(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/keys.html", {"keys": listed_keys()})


@require(Permission.API_KEYS)
@require_http_methods(["GET", "POST"])
@never_cache
def create_key(request: HttpRequest) -> HttpResponse:
    """The answer to the form is the only page that ever shows the key.

    It does not redirect, so that nothing has to keep the key until the next request.
    """
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return submit_once(
            request,
            lambda: _create(request, form),
            otherwise=resolve_url("accounts:key-list"),
            sent_twice=_SENT_TWICE,
        )
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/key_new.html", {"form": form}, status=status)


def _create(request: HttpRequest, form: KeyForm) -> HttpResponse:
    key, raw = create_api_key(
        form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        actor=signed_in(request),
        expires_at=form.cleaned_data["expires_on"],
    )
    context = {"keys": listed_keys(), "created": key, "raw": raw}
    return render(request, "accounts/keys.html", context)


@require(Permission.API_KEYS)
@require_http_methods(["GET", "POST"])
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=key_id)
    if request.method == "POST":
        if revoke_api_key(key.pk, actor=signed_in(request)):
            toast(
                request, f"Key {key.name} revoked", "Anything that still uses it will be refused."
            )
        else:
            toast(request, f"Key {key.name} was revoked before", level=messages.INFO)
        return redirect("accounts:key-list")
    context = {
        "question": f"Revoke {key.name}?",
        "text": "Anything that still uses it will be refused. This can't be undone.",
        "label": "Revoke key",
        "cancel_url": resolve_url("accounts:key-list"),
    }
    return render(request, "confirm.html", context)


@require(Permission.API_KEYS)
@require_http_methods(["GET", "POST"])
def take_over_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Answer for a key whose maker may no longer do what it does."""
    key = get_object_or_404(ApiKey, pk=key_id)
    if request.method == "POST":
        if take_over_api_key(key.pk, actor=signed_in(request)):
            toast(request, f"You answer for {key.name}", "It can do what its scopes allow again.")
        else:
            toast(request, f"Nothing to take over of {key.name}", level=messages.INFO)
        return redirect("accounts:key-list")
    context = {
        "question": f"Answer for {key.name}?",
        "text": f"It may do: {', '.join(key.scopes)}. Whatever it does counts as done by you.",
        "label": "Take over",
        "cancel_url": resolve_url("accounts:key-list"),
    }
    return render(request, "confirm.html", context)
