"""Postfix with STARTTLS and SASL, and Dovecot behind it: a mail provider in a folder of its own, on a free port, as root.

Dovecot answers Postfix's questions about passwords and takes what Postfix accepts into a Maildir. Versions 2.3 and 2.4 of Dovecot
read different languages; both are spoken here.
"""

import email
import email.policy
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from program import free_port
from waiting import until

USER = "sender@test.example"
PASSWORD = "correct horse"

# Its processes look for their tools here; an ordinary user's PATH lacks these.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "MAIL_CONFIG": ""}


class MailServer:
    def __init__(self, certificate, key):
        # Short, because of socket names, and open to the accounts that Postfix and Dovecot change to.
        self.folder = Path(tempfile.mkdtemp(prefix="mta-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.authority = certificate
        shutil.copy(certificate, self.folder / "cert.pem")
        shutil.copy(key, self.folder / "key.pem")
        (self.folder / "key.pem").chmod(0o600)
        self.dovecot = None
        self.postfix_started = False

    def start(self):
        for name in ("postfix", "queue", "data", "dovecot", "state", "run", "mail", "log"):
            (self.folder / name).mkdir(mode=0o755)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "mail", "mail", "mail")
        self._write_postfix()
        self._postfix("check")
        self._write_dovecot()
        self.dovecot = subprocess.Popen(
            ["dovecot", "-F", "-c", self.folder / "dovecot/dovecot.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self.folder / "log/dovecot-start.log", "wb"),
            env={**os.environ, "PATH": ENVIRONMENT["PATH"]},
        )
        until(self._dovecot_answers, "Dovecot's sockets")
        self._postfix("start")
        self.postfix_started = True
        until(self._greets, "Postfix's greeting")

    def stop(self):
        if self.postfix_started:
            self._postfix("stop")
        if self.dovecot and self.dovecot.poll() is None:
            self.dovecot.terminate()
            try:
                self.dovecot.wait(10)
            except subprocess.TimeoutExpired:
                self.dovecot.kill()
                self.dovecot.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return "".join(file.read_text(errors="replace") for file in sorted((self.folder / "log").iterdir()))

    def mailbox(self, name):
        """What lies in one reader's Maildir, as Python's email package reads it."""
        folder = self.folder / "mail" / name / "new"
        if not folder.is_dir():
            return []
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in sorted(folder.iterdir())]

    def _postfix(self, verb):
        done = subprocess.run(
            ["postfix", "-c", self.folder / "postfix", verb],
            capture_output=True,
            text=True,
            timeout=30,
            env={name: value for name, value in ENVIRONMENT.items() if value},
        )
        assert done.returncode == 0 or verb == "check", f"postfix {verb}: {done.stdout}{done.stderr}{self.log()}"

    def _dovecot_answers(self):
        if self.dovecot.poll() is not None:
            raise AssertionError(f"dovecot left with {self.dovecot.returncode}: {self.log()}")
        return (self.folder / "queue/auth").exists() and (self.folder / "queue/lmtp").exists()

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                return connection.recv(100).startswith(b"220 ")
        except OSError:
            return False

    def _write_postfix(self):
        d = self.folder
        daemons = next((p for p in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix") if Path(p).is_dir()), "/usr/lib/postfix/sbin")
        (d / "postfix/main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {d}/queue
data_directory = {d}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.test.example
mydestination =
local_recipient_maps =
virtual_mailbox_domains = test.example
virtual_mailbox_maps = inline:{{ {{zoe@test.example=x}} {{yuri@test.example=x}} {{{USER}=x}} }}
virtual_transport = lmtp:unix:lmtp
recipient_delimiter = +
default_transport = discard:
mynetworks =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = auth
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {d}/cert.pem
smtpd_tls_key_file = {d}/key.pem
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
maillog_file = {d}/log/postfix.log
maillog_file_prefixes = {d}/log
alias_maps =
alias_database =
""")
        (d / "postfix/master.cf").write_text(f"""{self.port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")

    def _write_dovecot(self):
        d = self.folder
        users = d / "dovecot/users"
        users.write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        users.chmod(0o640)
        shutil.chown(users, "root", "dovecot")
        version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, env=ENVIRONMENT).stdout
        major, minor = (int(part) for part in version.split(".")[:2])
        language = self._dovecot_2_4 if (major, minor) >= (2, 4) else self._dovecot_2_3
        (d / "dovecot/dovecot.conf").write_text(language() + f"""
service lmtp {{
  unix_listener {d}/queue/lmtp {{
    mode = 0600
    user = postfix
  }}
}}
service auth {{
  unix_listener {d}/queue/auth {{
    mode = 0660
    user = postfix
  }}
}}
""")

    def _dovecot_2_3(self):
        d = self.folder
        return f"""base_dir = {d}/run
state_dir = {d}/state
instance_name = postrider-test
protocols = lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
log_path = {d}/log/dovecot.log
mail_location = maildir:{d}/mail/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = username_format=%u {d}/dovecot/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={d}/mail/%n allow_all_users=yes
}}
"""

    def _dovecot_2_4(self):
        d = self.folder
        return f"""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {d}/run
state_dir = {d}/state
instance_name = postrider-test
protocols = lmtp
listen = 127.0.0.1
ssl = no
auth_allow_cleartext = yes
auth_mechanisms = plain login
log_path = {d}/log/dovecot.log
mail_driver = maildir
mail_path = {d}/mail/%{{user | username}}
mail_home = {d}/mail/%{{user | username}}
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
passdb passwd-file {{
  passwd_file_path = {d}/dovecot/users
}}
userdb static {{
  allow_all_users = yes
  fields {{
    uid = mail
    gid = mail
    home = {d}/mail/%{{user | username}}
  }}
}}
"""
