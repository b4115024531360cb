"""A backup taken while an issue is sent makes a site whose readers' links go on working."""

from browser import path_of
from program import Site, postrider
from waiting import until


def test_a_backup_taken_while_sending_restores_to_a_site_in_which_old_links_work(site, sink, tmp_path):
    site.prepare_issue(readers=600, connections=2)
    sink.delay = 0.005
    daemon = site.serve()
    issue = site.send()
    until(lambda: sink.count() > 100, "the first mails")
    site.run("backup", tmp_path / "site.backup")
    at_backup = sink.count()
    assert at_backup < 600, "it was taken in the middle"
    assert (tmp_path / "site.backup").stat().st_mode & 0o077 == 0, "it holds keys and addresses"
    sink.delay = 0.0
    assert site.wait_for(issue)["accepted"] == 600, "the backup disturbed nothing"
    daemon.terminate()

    place = tmp_path / "restored"
    done = postrider("restore", tmp_path / "site.backup", folder=place)
    assert done.returncode == 0, done.stderr
    restored = Site.at(place, site.port)
    assert restored.config.read_text() == site.config.read_text()
    assert {f.name: f.read_bytes() for f in (place / "keys").iterdir()} == {
        f.name: f.read_bytes() for f in (site.folder / "keys").iterdir()
    }, "the keys survive"
    assert len(restored.read("subscriber", "ls", "--list", "daily")) == 600

    old = sink.mails[0]
    restored.run("issue", "pause", issue)  # who was written to after the backup would be written to again
    restored.serve()
    assert restored.get(site.path_in(old, "view")).status == 200
    leave = path_of(old.leave_url)
    assert restored.post(leave, {"List-Unsubscribe": "One-Click"}).status == 200
    shown = restored.read("subscriber", "show", old.recipient)
    assert [s["state"] for s in shown["subscriptions"]] == ["unsubscribed"]


def test_restore_refuses_a_folder_that_holds_a_site_and_changes_nothing(site, tmp_path):
    site.run("backup", tmp_path / "site.backup")
    before = site.dump()
    done = site.try_to("restore", tmp_path / "site.backup")
    assert done.returncode == 1 and done.stderr.strip()
    assert site.dump() == before


def test_restore_with_verify_finds_a_damaged_backup(site, tmp_path):
    site.import_readers(200)
    backup = tmp_path / "site.backup"
    site.run("backup", backup)
    good = postrider("restore", backup, "--verify", folder=tmp_path / "good")
    assert good.returncode == 0, good.stderr
    data = bytearray(backup.read_bytes())
    for at in range(len(data) // 3, len(data) // 3 + 2000):
        data[at] ^= 0x5A
    backup.write_bytes(data)
    bad = postrider("restore", backup, "--verify", folder=tmp_path / "bad")
    assert bad.returncode == 1 and bad.stderr.strip()
    backup.write_bytes(data[: len(data) // 2])
    assert postrider("restore", backup, "--verify", folder=tmp_path / "cut").returncode == 1
    backup.write_bytes(b"")
    assert postrider("restore", backup, folder=tmp_path / "empty").returncode == 1
