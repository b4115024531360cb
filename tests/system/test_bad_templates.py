"""A template that is wrong: said with file, line and column, and the daemon goes on."""

import pytest

from waiting import until


def customised(site, name, change):
    """`template edit NAME`, and the copy changed."""
    site.run("template", "edit", name)
    file = next((site.folder / "templates").glob(f"{name}*"))
    file.write_text(change(file.read_text()))
    return file


def refused(done, *words):
    assert done.returncode == 1, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


def test_a_section_that_is_never_closed_is_reported_where_it_opens(site):
    file = customised(site, "digest.txt", lambda text: "one\ntwo\n  {{#stories}}\n" + "{{title}}\n")
    error = refused(site.try_to("template", "check"), f"{file.name}:3:3", "stories", "never closed")
    assert len([line for line in error.splitlines() if file.name in line]) == 1


def test_a_name_that_does_not_exist_is_reported_with_the_nearest_one(site):
    file = customised(site, "digest.txt", lambda text: "{{list.titel}} {{unsubscribe_url}} {{site.postal_address}}\n" + text)
    refused(site.try_to("template", "check"), f"{file.name}:1:", "list.titel", "list.title")


@pytest.mark.parametrize(
    "text, words",
    [
        ("{{#stories}}{{#topics}}{{/stories}}{{/topics}}", ["1:"]),
        ("{{/stories}}", ["1:1"]),
        ("{{title", ["1:1"]),
        ("{{#a}}", ["1:1", "never closed"]),
    ],
)
def test_template_render_reports_what_is_wrong_with_its_place(site, tmp_path, text, words):
    file = tmp_path / "x.mustache"
    file.write_text(text)
    done = site.try_to("template", "render", file)
    refused(done, *(f"x.mustache:{word}" if word[0].isdigit() else word for word in words))
    assert done.stdout == ""


def test_a_partial_that_calls_itself_is_bounded(site, tmp_path):
    (tmp_path / "loop.mustache").write_text("x{{>loop}}")
    done = site.try_to("template", "render", tmp_path / "loop.mustache", "--partials", tmp_path, timeout=20)
    assert done.returncode == 1 and len(done.stdout) < 10_000_000 and done.stderr.strip()


def test_a_broken_digest_template_stops_no_page_and_mended_the_issue_goes_out(site, sink):
    file = customised(site, "digest.html", lambda text: "{{#stories}}" + text)
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    site.serve()
    done = site.try_to("issue", "send", "daily")
    assert done.returncode == 1 and f"{file.name}:1:1" in done.stderr
    assert site.get("/join/daily").status == 200
    assert site.issues() == [] and sink.count() == 0, "nothing half done"
    file.unlink()
    site.wait_for(site.send())
    assert sink.count() == 1


def test_a_template_changed_in_the_middle_of_an_issue_changes_nothing_of_it(site, sink):
    site.prepare_issue(readers=400, connections=2)
    sink.delay = 0.005
    site.serve()
    issue = site.send()
    until(lambda: sink.count() > 20, "the first mails")
    customised(site, "digest.txt", lambda text: "CHANGED " + text)
    sink.delay = 0.0
    site.wait_for(issue)
    assert not [mail for mail in sink.mails if "CHANGED" in mail.text()]
