"""Forgetting a person: nothing of them is left in any file of the site, and the whole record was theirs to take before."""

from browser import path_of
from waiting import until

READER, NAME = "nora.quillfeather@reader.example", "Quillfeather"


def traces(site, daemon):
    """The files of the site, and its log, that still know the person; the address in either spelling."""
    words = [READER.encode(), b"nora.quillfeather", NAME.encode()]
    files = [file for file in site.folder.rglob("*") if file.is_file()] + [daemon.log_file]
    found = [str(file) for file in files if any(word in file.read_bytes() for word in words)]
    return found + [file.name for file in files if "quillfeather" in file.name]


def a_reader_with_a_history(site):
    """Joined by the page, got a welcome and two issues, whose mails are in outbox/."""
    site.add_list("daily", "--welcome", "yes")
    site.add_list("weekly", title="The Weekly")
    daemon = site.serve()
    outbox = lambda: sorted((site.folder / "outbox").glob("*.eml"))  # noqa: E731
    assert site.post("/join/daily", {"email": READER, "name": f"Nora {NAME}"}).status == 200
    assert site.post("/join/weekly", {"email": READER.upper(), "name": f"Nora {NAME}"}).status == 200
    until(lambda: len(outbox()) == 2, "two confirmations")
    tokens = site.outbox_links("/confirm/")
    assert site.post(tokens[0]).status == 200
    for title in ("The ship came in", "The ship left"):
        site.add_story(title)
        site.wait_for(site.send())
    until(lambda: len(outbox()) == 5, "confirmations, welcome and issues")
    return daemon


def test_erasing_leaves_a_keyed_hash_and_nothing_else_anywhere(empty_site):
    site = empty_site
    daemon = a_reader_with_a_history(site)
    site.add_reader("other@reader.example")
    assert traces(site, daemon)
    record = site.read_anyway("subscriber", "show", READER, "--export")
    assert record["address"] == READER and NAME in record["name"]
    assert {event["event"] for event in record["consent"]} >= {"asked", "confirmed"}
    assert [d["state"] for d in record["deliveries"]] == ["accepted", "accepted"]
    assert {letter["purpose"] for letter in record["letters"]} == {"confirmation", "welcome"}
    assert [s["list"] for s in record["sign_ups"]] == ["daily", "weekly"]
    assert site.get(site.outbox_links("/preferences/")[0] + "?export").json == record, "the reader's own is the same"

    erased = site.read("subscriber", "erase", READER, "--yes")
    assert erased["subscriber"] and erased["kept_mails"] == 5
    assert traces(site, daemon) == []
    assert [one["kind"] for one in site.read("suppression", "ls")] == ["erased"]
    assert "other@reader.example" in site.run("subscriber", "ls", "--list", "daily")

    # An import does not bring them back; they themselves do.
    file = site.folder.parent / "readers.csv"
    file.write_text(f"email\n{READER}\n")
    assert site.read("subscriber", "import", file, "--list", "daily", "--basis", "b", "--confirmed")["suppressed"] == 1
    assert site.post("/join/daily", {"email": READER}).status == 200
    link = until(lambda: site.outbox_links("/confirm/"), "a confirmation")[0]
    assert site.post(path_of(link)).status == 200
    assert [s["state"] for s in site.read("subscriber", "show", READER)["subscriptions"]] == ["active"]


def test_a_reader_who_erases_themselves_is_gone_from_the_outbox_too(empty_site):
    site = empty_site
    daemon = a_reader_with_a_history(site)
    preferences = site.outbox_links("/preferences/")[0]
    assert site.post(preferences, {"erase": "everything"}).status == 200
    until(lambda: not list((site.folder / "outbox").glob("*quillfeather*")), "the mails to be gone")
    site.run("subscriber", "erase", READER, "--yes")
    assert traces(site, daemon) == []
