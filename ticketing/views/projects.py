"""Projects of cases: their names, their keys, and what cases do with their findings."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.roles import Permission
from config.lib.toasts import toast
from ticketing import projects
from ticketing.destinations import destination_of
from ticketing.forms.projects import EditProjectForm, NewProjectForm
from ticketing.issues import closing_blocks
from ticketing.models import Project
from ticketing.selectors import project_rows


@require(Permission.PROJECTS_WRITE)
@require_http_methods(["GET", "POST"])
def list_projects(request: HttpRequest) -> HttpResponse:
    form = NewProjectForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return submit_once(request, lambda: _create(request, form))
        except ValidationError as error:
            form.add_error(None, error)
    context = {"form": form, "rows": project_rows()}
    status = 422 if form.is_bound else 200
    return render(request, "ticketing/projects.html", context, status=status)


def _create(request: HttpRequest, form: NewProjectForm) -> HttpResponse:
    project = projects.create_project(**form.cleaned_data, actor=signed_in(request))
    toast(request, f"Project {project.name} created")
    return redirect("ticketing:project-list")


@require(Permission.PROJECTS_WRITE)
@require_http_methods(["GET", "POST"])
def edit_project(request: HttpRequest, key: str) -> HttpResponse:
    project = get_object_or_404(Project, key=key.replace("\0", ""))
    was = project.name
    initial = {name: getattr(project, name) for name in EditProjectForm.base_fields}
    form = EditProjectForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            projects.edit_project(project, **form.cleaned_data, actor=signed_in(request))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            toast(request, f"Project {project.name} saved")
            return redirect("ticketing:project-list")
    context = {"form": form, "project": project, "was": was}
    context |= {"destination": destination_of(project.pk), "blocks": closing_blocks(project.pk)}
    status = 422 if form.is_bound else 200
    return render(request, "ticketing/project_edit.html", context, status=status)
