"""People: listed, let in with a role, changed, given a new password."""

from __future__ import annotations

import secrets
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.forms import EditPersonForm, NewPersonForm
from config.accounts.models import ApiKey, User
from config.accounts.people import change_person, create_person, keys_losing, reset_password
from config.accounts.roles import Permission, Role
from config.accounts.selectors import listed_people
from config.lib.toasts import toast

_SENT_TWICE = (
    "The form was sent twice, and one person was added. The password was shown only "
    "once: if you did not see it, set a new one."
)


@require(Permission.USERS)
@require_GET
def list_people(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/people.html", {"people": listed_people()})


@require(Permission.USERS)
@require_http_methods(["GET", "POST"])
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    """Like a key, the first password is shown in this answer and nowhere else."""
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return submit_once(
                request,
                lambda: _create(request, form),
                otherwise=resolve_url("accounts:person-list"),
                sent_twice=_SENT_TWICE,
            )
        except ValidationError as error:
            _say(form, error)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/person_new.html", {"form": form}, status=status)


def _create(request: HttpRequest, form: NewPersonForm) -> HttpResponse:
    password = secrets.token_urlsafe(15)
    fields = form.cleaned_data | {"role": Role(form.cleaned_data["role"]), "password": password}
    return _with_password(request, create_person(**fields), password)


@require(Permission.USERS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, person_id: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    was = {name: getattr(person, name) for name in ("name", "role", "team", "is_active")}
    form = EditPersonForm(request.POST if request.method == "POST" else None, initial=was)
    losing: list[ApiKey] = []
    if form.is_valid():
        role, is_active = Role(form.cleaned_data["role"]), form.cleaned_data["is_active"]
        losing = keys_losing(person, role=role, is_active=is_active)
        fields = form.cleaned_data | {"role": role}
        try:
            change_person(person, **fields, actor=signed_in(request))
        except ValidationError as error:
            _say(form, error)
        else:
            toast(request, f"{person.name} saved")
            return redirect("accounts:person-list")
    context = {"form": form, "person": person, "was": was["name"], "losing": losing}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/person_edit.html", context, status=status)


@require(Permission.USERS)
@require_http_methods(["GET", "POST"])
@never_cache
def set_new_password(request: HttpRequest, person_id: UUID) -> HttpResponse:
    person = get_object_or_404(User, pk=person_id)
    if request.method == "POST":
        return _with_password(request, person, reset_password(person, actor=signed_in(request)))
    context = {
        "question": f"Set a new password for {person.name}?",
        "text": "The old one no longer works, and they are signed out everywhere.",
        "label": "Set new password",
        "cancel_url": resolve_url("accounts:person-edit", person.pk),
    }
    return render(request, "confirm.html", context)


def _with_password(request: HttpRequest, person: User, password: str) -> HttpResponse:
    context = {"people": listed_people(), "changed": person, "raw": password}
    return render(request, "accounts/people.html", context)


def _say(form: forms.Form, error: ValidationError) -> None:
    """At its field, if the form has it."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    for name, messages in by_field.items():
        taken = name == "__all__" and "Email taken." in messages
        form.add_error("email" if taken else (name if name in form.fields else None), messages)
