"""`issue verify`: it recounts from the rows, shows the sum, and leaves with status 1 when anything contradicts it."""

import json



def sent(site, readers=20):
    site.import_readers(readers)
    site.add_story("The ship came in")
    site.serve()
    issue = site.send()
    site.wait_for(issue)
    return issue


def test_a_sound_issue_is_shown_with_its_sum(site, sink):
    sink.on("rcpt", "550 5.1.1 no such user", when=lambda line: "<reader7@" in line)
    issue = sent(site)
    said = site.run("issue", "verify", issue)
    assert "20 planned = 19 accepted + 1 refused + 0 suppressed + 0 expired + 0 unknown" in said
    told = site.read("issue", "verify", issue)
    assert told["findings"] == [] and told["balanced"] is True
    assert (told["planned"], told["accepted"], told["refused"], told["pending"]) == (20, 19, 1, 0)


def test_a_contradiction_is_said_and_gives_status_one(site, sink):
    issue = sent(site)
    site.alter("DELETE FROM delivery WHERE subscription_id = 5")
    site.alter("UPDATE list_counter SET active = 19")
    site.alter("UPDATE issue_story SET list_id = 2")
    done = site.try_to("issue", "verify", issue)
    assert done.returncode == 1
    for words in (
        "it is sent, and readers have no outcome: 1",
        "the list counts 19 active readers, and there are 20",
        "stories entered for another list: 1",
    ):
        assert words in done.stderr
    assert "contradictions; 20 planned = 19 accepted" in done.stdout and "+ 1 still to do" in done.stdout
    done = site.try_to("issue", "verify", issue, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["balanced"] is False and len(told["findings"]) >= 3


def test_an_issue_on_its_way_is_never_said_to_contradict_itself(site, sink):
    site.import_readers(3000)
    site.add_story("The ship came in")
    sink.delay = 0.002
    sink.on("rcpt", "451 4.7.1 try again later", times=100)
    site.serve()
    issue = site.send()
    looks = 0
    while site.report(issue)["status"] != "sent":
        done = site.try_to("issue", "verify", issue)
        assert done.returncode == 0, done.stderr
        looks += 1
    assert looks > 3
    site.run("issue", "verify", issue)
