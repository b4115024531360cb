"""A real rspamd that judges mails by their format alone: on a port of this machine, without DNS, maps, Redis or memory."""

import http.client
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from program import clean_environment, free_port
from waiting import until

CONFIGURATION = Path("/etc/rspamd/rspamd.conf")

# They ask the network, keep a history, or judge what only a receiving server knows.
ASKING = """antivirus arc asn bimi clickhouse dcc dkim dkim_signing dmarc elastic external_services fuzzy_check greylist hfilter history_redis
mx_check neural p0f ratelimit rbl redis replies reputation rspamd_update spf surbl url_redirector whitelist""".split()


class Rspamd:
    def __init__(self, folder):
        program = shutil.which("rspamd") or shutil.which("rspamd", path="/usr/sbin:/usr/bin")
        if not program or not CONFIGURATION.is_file():
            pytest.skip("rspamd is not installed (apt install --no-install-recommends rspamd)")
        self.port = free_port()
        self.log = folder / "rspamd.log"
        settings = folder / "local/override.d"
        for made in (settings, folder / "local/local.d", folder / "data"):
            made.mkdir(parents=True)
        for module in ASKING:
            (settings / f"{module}.conf").write_text("enabled = false;\n")
        (settings / "options.inc").write_text(
            f'dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}\nlocal_addrs = [];\ndisable_monitoring = true;\n'
            f'hs_cache_dir = "{folder}/data";\ncontrol_socket = "{folder}/data/control.sock mode=0600";\n'
        )
        (settings / "worker-normal.inc").write_text(f'bind_socket = "127.0.0.1:{self.port}";\ncount = 1;\n')
        for worker in ("controller", "proxy", "fuzzy"):
            (settings / f"worker-{worker}.inc").write_text(f'enabled = false;\nbind_socket = "127.0.0.1:{free_port()}";\ncount = -1;\n')
        (settings / "logging.inc").write_text('type = "console";\nlevel = "warning";\n')
        places = {"LOCAL_CONFDIR": folder / "local", "DBDIR": folder / "data", "RUNDIR": folder / "data", "LOGDIR": folder / "data"}
        command = [program, "-f", "-i", "-c", CONFIGURATION]
        for name, place in places.items():
            command += ["--var", f"{name}={place}"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment())

    def start(self):
        def look():
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
            try:
                return self.ask("GET", "/ping").startswith(b"pong")
            except OSError:
                return False

        until(look, "rspamd to answer", within=90)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            return connection.getresponse().read()
        finally:
            connection.close()

    def symbols(self, mail):
        """{symbol: (score, options)} of a mail from relay_sink."""
        envelope = {"From": mail.sender, "Rcpt": mail.recipient, "IP": "203.0.113.5", "Helo": "mail.courier.example"}
        answer = json.loads(self.ask("POST", "/checkv2", mail.sent, envelope))
        return {name: (symbol["score"], symbol.get("options", [])) for name, symbol in answer["symbols"].items()}
