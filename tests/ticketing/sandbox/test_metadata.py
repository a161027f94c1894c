from __future__ import annotations


def names(people) -> list[str]:
    return [one["displayName"] for one in people.json()]


def test_it_shows_what_a_create_screen_asks_for(api):
    fields = api("GET", "issue/createmeta/SEC/issuetypes/10001").json()["fields"]
    by_id = {field["fieldId"]: field for field in fields}

    assert by_id["summary"]["required"] is True
    assert by_id["priority"]["hasDefaultValue"] is True
    assert by_id["priority"]["defaultValue"]["name"] == "Medium"
    assert by_id["customfield_10020"]["allowedValues"][0]["value"] == "Red"
    assert by_id["customfield_10020"]["schema"]["custom"].endswith(":select")
    region = by_id["customfield_10024"]["allowedValues"][0]
    assert [child["value"] for child in region["children"]] == ["Frankfurt", "Dublin"]


def test_it_pages_through_fields(api):
    path = "issue/createmeta/SEC/issuetypes/10001"

    page = api("GET", f"{path}?startAt=28&maxResults=5").json()

    assert (page["startAt"], page["total"], len(page["fields"])) == (28, 30, 2)
    assert api("GET", f"{path}?maxResults=201").status_code == 400


def test_data_center_calls_the_lists_values_and_leaves_keys_out(dc_api):
    types = dc_api("GET", "issue/createmeta/SEC/issuetypes").json()
    fields = dc_api("GET", "issue/createmeta/SEC/issuetypes/10000").json()

    assert types["values"][0]["name"] == "Task"
    assert {"Epic Name"} <= {field["name"] for field in fields["values"]}
    assert not any("key" in field for field in fields["values"])
    assert isinstance(dc_api("GET", "project").json(), list)
    assert dc_api("GET", "project/search").status_code == 404


def test_a_screen_can_change_under_a_rule(api):
    api.jira.drop_field("SEC", "labels")
    api.jira.drop_option("SEC", "customfield_10020", "Blue")
    api.jira.drop_issue_type("SEC", "Bug")

    assert "labels" in api.create(labels=["fa-1"]).json()["errors"]
    assert api.create(customfield_10020={"id": "10301"}).status_code == 400
    types = api("GET", "issue/createmeta/SEC/issuetypes").json()["issueTypes"]
    assert "Bug" not in {kind["name"] for kind in types}


def test_it_finds_who_can_be_assigned(api, dc_api):
    path = "user/assignable/search?project=SEC"

    assert names(api("GET", f"{path}&query=d")) == ["Dana Developer"]
    assert names(api("GET", f"{path}&accountId=712020:sam")) == ["Sam Support"]
    assert names(api("GET", f"{path}&query=ivan")) == []
    assert api("GET", path).status_code == 400
    assert names(dc_api("GET", f"{path}&username=dana")) == ["Dana Developer"]


def test_it_lists_priorities_and_statuses(api):
    assert api("GET", "priority").json()[0]["name"] == "Highest"
    assert api("GET", "priority/search").json()["total"] == 5
    kinds = api("GET", "project/OPS/statuses").json()
    assert {one["statusCategory"]["key"] for one in kinds[0]["statuses"]} == {
        "new",
        "indeterminate",
        "done",
    }


def test_an_archived_project_is_listed_only_when_asked_for(api):
    api.jira.archive("OPS")

    live = api("GET", "project/search").json()["values"]
    archived = api("GET", "project/search?status=archived").json()["values"]

    assert [project["key"] for project in live] == ["SEC", "PLAT", "DESK"]
    assert [project["key"] for project in archived] == ["OPS"]
