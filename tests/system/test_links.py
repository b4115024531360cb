"""Links in mail work for years, whatever happens to the site in between."""

from browser import path_of
from program import Site, postrider
from waiting import until

READER = "nora@reader.example"


def mailed_links(site, sink):
    """The links of a real issue and of a real confirmation."""
    site.add_reader(READER)
    site.add_story("The ship came in")
    site.wait_for(site.send())
    issue = sink.to(READER)[0]
    leave = path_of(issue.leave_url)
    view = site.path_in(issue, "view")
    preferences = site.path_in(issue, "preferences")
    return leave, view, preferences


def work(site, links):
    return [site.get(link).status for link in links] == [200] * len(links)


def test_old_links_work_after_rotation_renaming_and_restore(site, sink, tmp_path):
    daemon = site.serve()
    links = mailed_links(site, sink)
    assert site.read("key", "rotate")["key"] == 2
    assert [key["signs"] for key in site.read("key", "ls")] == [False, True]
    site.run("list", "edit", "daily", "--title", "The Evening")
    assert work(site, links)
    site.add_story("A second ship came in")
    site.wait_for(site.send())
    fresh = path_of(sink.to(READER)[1].leave_url)
    assert fresh != links[0] and work(site, [fresh])

    copy = tmp_path / "copy.db"
    site.run("backup", copy)
    assert daemon.terminate() == 0
    restored = tmp_path / "restored"
    assert postrider("restore", copy, folder=restored).returncode == 0
    again = Site.at(restored, site.port)
    again.serve()
    assert work(again, [*links, fresh])
    assert again.post(links[0]).status == 200
    assert again.sql("SELECT count(*) FROM subscription WHERE left_at IS NULL") == [(0,)]


def test_an_old_link_is_answered_after_erasure_and_return(site, sink):
    site.serve()
    leave, view, preferences = mailed_links(site, sink)
    site.run("subscriber", "erase", READER, "--yes")
    assert site.get(leave).status == 200 and READER not in site.get(leave).text
    assert site.post(leave).status == 200
    assert site.get(preferences).status == 404
    assert site.post("/join/daily", {"email": READER}).status == 200
    mail = until(lambda: len(sink.to(READER)) > 1 and sink.to(READER)[-1], "the confirmation mail")
    assert site.post(site.path_in(mail, "confirm")).status == 200
    assert [s["state"] for s in site.read("subscriber", "show", READER)["subscriptions"]] == ["active"]
    assert site.get(preferences).status == 404, "a link to the person who was erased is not one to who came back"


def test_links_of_another_site_and_of_another_purpose_are_refused_alike(site, sink, tmp_path):
    site.serve()
    leave, view, preferences = mailed_links(site, sink)
    token = leave.split("/")[-1]
    refused = {site.get(f"/{purpose}/{token}").body for purpose in ("confirm", "view", "preferences")}
    refused |= {site.get(f"/leave/{token[:-1]}").body, site.get("/leave/" + "A" * len(token)).body}
    assert len(refused) == 1
    other = Site(tmp_path / "other", relay=sink.url)
    other.add_list("daily")
    other.add_reader(READER)
    other.serve()
    assert other.get(leave).status == 404
