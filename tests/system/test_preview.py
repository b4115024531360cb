"""What an operator looks at before sending is what readers get: preview, test mail and issue, octet by octet."""

import re

from waiting import until

ADA = "ada@reader.example"


def prepare(site):
    site.add_reader(ADA)
    site.import_people({"ben@reader.example": "Ben 'Böblingen' <b>"})
    site.add_story("The ship came in — früher als gedacht", summary="A sentence. " * 40)
    site.add_story("Second story")


def preview(site, what, address=ADA):
    file = site.folder / "preview.eml"
    site.run("issue", "preview", what, "--to", address, "--eml", "--output", file)
    return file.read_bytes()


def test_mail(site, sink, what, address):
    before = sink.count()
    site.run("issue", "send", what, "--test", address)
    until(lambda: sink.count() > before, "the test mail")
    return sink.mails[-1].data


test_mail.__test__ = False


def masked(mail):
    """Without what differs between two messages of one content: when, which message, which key in its links; and the
    mark of a test; and soft line breaks, which follow the length of these. Every octet else stays."""
    mail = mail.replace(b"\nSubject: [Test] ", b"\nSubject: ")
    mail = re.sub(rb"(?m)^Date: .*\r$", b"Date: x\r", mail)
    mail = re.sub(rb"(?m)^Message-ID: <[^@]*", b"Message-ID: <x", mail)
    for boundary in set(re.findall(rb'boundary="([^"]+)"', mail)):
        mail = mail.replace(boundary, b"x" * len(boundary))
    mail = mail.replace(b"=\r\n", b"")
    return re.sub(rb"/(leave|view|preferences)/[\w.~-]+", rb"/\1/x", mail)


def test_the_preview_of_an_issue_is_the_mail_that_its_reader_gets(site, sink):
    prepare(site)
    site.serve()
    issue = site.send()
    site.wait_for(issue)
    for mail in sink.mails:
        assert preview(site, str(issue), mail.recipient) == mail.data


def test_a_preview_and_a_test_mail_of_the_next_issue_are_what_will_be_sent(site, sink):
    prepare(site)
    site.serve()
    shown = preview(site, "daily")
    tried = test_mail(site, sink, "daily", ADA)
    issue = site.send()
    site.wait_for(issue)
    sent = sink.to(ADA)[-1].data
    assert b"\r\nSubject: [Test] " in tried and b"\r\nSubject: [Test] " not in sent
    assert masked(shown) == masked(sent)
    assert masked(tried) == masked(sent)
    assert len(masked(sent)) > 5000 and b"/leave/x" in masked(sent)


def test_a_test_mail_of_a_finished_issue_is_that_issue_with_a_mark(site, sink):
    prepare(site)
    site.serve()
    issue = site.send()
    site.wait_for(issue)
    sent = sink.to(ADA)[-1].data
    tried = test_mail(site, sink, str(issue), ADA)
    assert tried.replace(b"\nSubject: [Test] ", b"\nSubject: ", 1) == sent


def test_warnings_of_a_template_are_said_wherever_an_issue_is_made_and_stop_nothing(site, sink):
    prepare(site)
    site.run("template", "edit", "digest.html")
    file = next((site.folder / "templates").glob("digest.html*"))
    file.write_text(file.read_text().replace("{{> issue_foot.html}}", '<img src="http://a.example/a.png">{{> issue_foot.html}}'))
    site.serve()
    for command in (["preview", "daily"], ["send", "daily", "--test", ADA], ["send", "daily"]):
        done = site.try_to("issue", *command)
        assert done.returncode == 0 and "warning: <img> has no alt" in done.stderr, done.stderr
        assert "warning: src is http" in done.stderr
    file.write_text(file.read_text().replace("<img", "<script>x</script><img"))
    done = site.try_to("issue", "preview", "daily")
    assert done.returncode == 1 and f"{file.name}:" in done.stderr and "<script>" in done.stderr
