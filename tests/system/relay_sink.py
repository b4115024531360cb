"""A relay in this process that takes mail and makes trouble to order.

Every message is recorded when its final dot has been read, before the answer: what is in `mails` is what a reader would have got,
whether or not the program ever heard of it.
"""

import email
import email.policy
import re
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass

HANG_UP = object()  # close the connection instead of answering
SILENCE = object()  # never answer


@dataclass
class Last:
    """These bytes, and then hang up."""

    words: bytes


@dataclass
class Mail:
    connection: int
    sender: str
    recipient: str
    data: bytes  # without dot-stuffing
    sent: bytes = b""  # with it: every octet between DATA and the final dot

    @property
    def message(self):
        return email.message_from_bytes(self.data, policy=email.policy.default)

    def text(self, kind="plain"):
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""

    def link(self, begin):
        """The first address in the plain text that begins so."""
        found = re.search(re.escape(begin) + r"\S*", self.text())
        assert found, f"no {begin} in {self.text()}"
        return found.group()

    @property
    def leave_url(self):
        """The first address of List-Unsubscribe."""
        return self.message["List-Unsubscribe"].split(">")[0].strip(" <")


@dataclass
class Fault:
    stage: str
    answer: object
    when: object
    times: int | None


class RelaySink:
    STAGES = ("greeting", "ehlo", "starttls", "mail", "rcpt", "data", "body")

    def __init__(self, tls=None, port=0):
        self.tls = tls  # (certificate file, key file): STARTTLS is offered
        self.delay = 0.0  # seconds between a final dot and its answer
        self.mails = []
        self.commands = Counter()
        self.connections = 0  # ever
        self.open = 0  # now
        self.secured = 0  # by STARTTLS
        self._faults = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._sockets = set()
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=200)
        self.port = self._listener.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._start(self._accept)

    def on(self, stage, answer, when=lambda line: True, times=None):
        """From now on, answer so at this stage to a line (a body: to its recipient) that `when` accepts."""
        assert stage in self.STAGES
        with self._lock:
            self._faults.insert(0, Fault(stage, answer, when, times))

    def behave(self):
        """No more trouble."""
        with self._lock:
            self._faults.clear()

    def to(self, address):
        """The mails to one reader, oldest first."""
        with self._lock:
            return [mail for mail in self.mails if mail.recipient == address]

    def count(self):
        with self._lock:
            return len(self.mails)

    def stop(self):
        self._stopped.set()
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(5)

    def hang_up(self):
        """Breaks every connection that is open now."""
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        # A closed listener does not wake accept() everywhere; looking up now and then does.
        self._listener.settimeout(0.2)
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self.open += 1
                self._sockets.add(connection)
                number = self.connections
            self._start(self._converse, connection, number)

    def _converse(self, connection, number):
        try:
            Conversation(self, connection, number).run()
        except (OSError, ssl.SSLError, EOFError):
            pass
        finally:
            with self._lock:
                self.open -= 1
                self._sockets.discard(connection)
            connection.close()

    def _fault(self, stage, line):
        with self._lock:
            self.commands[stage] += 1
            for fault in self._faults:
                if fault.stage == stage and fault.times != 0 and fault.when(line):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault.answer
        return None


class Conversation:
    def __init__(self, sink, connection, number):
        self.sink, self.connection, self.number = sink, connection, number
        self.lines = connection.makefile("rb", buffering=65536)
        self.secure = False
        self.sender = self.recipient = None

    def run(self):
        self.answer("greeting", "", "220 sink.example ESMTP")
        while line := self.lines.readline(10_000_000):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            verb = text.split(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            self.obey(verb, text)

    def obey(self, verb, text):
        if verb in ("EHLO", "HELO"):
            offers = ["sink.example", "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 50000000"]
            if self.sink.tls and not self.secure:
                offers.append("STARTTLS")
            self.answer("ehlo", text, "\r\n".join(f"250-{offer}" for offer in offers[:-1]) + f"\r\n250 {offers[-1]}")
        elif verb == "STARTTLS" and self.sink.tls and not self.secure:
            if self.answer("starttls", text, "220 2.0.0 go ahead"):
                self.start_tls()
        elif verb == "MAIL":
            self.recipient = None
            if self.answer("mail", text, "250 2.1.0 ok"):
                self.sender = address_in(text)
        elif verb == "RCPT":
            if self.answer("rcpt", text, "250 2.1.5 ok"):
                self.recipient = address_in(text)
        elif verb == "DATA":
            if self.recipient is None:
                self.say("503 5.5.1 no valid recipients")
            elif self.answer("data", text, "354 go ahead"):
                self.body()
        elif verb == "RSET":
            self.recipient = None
            self.say("250 2.0.0 ok")
        elif verb == "NOOP":
            self.say("250 2.0.0 ok")
        else:
            self.say("502 5.5.2 unknown command")

    def body(self):
        data, sent = bytearray(), bytearray()
        while True:
            line = self.lines.readline()
            if not line.endswith(b"\n"):
                raise EOFError("the message was cut")
            if line == b".\r\n":
                break
            sent += line
            data += line[1:] if line.startswith(b".") else line
        mail = Mail(self.number, self.sender, self.recipient, bytes(data), bytes(sent))
        fault = self.sink._fault("body", self.recipient)
        # An answer of 4xx or 5xx: the message was not taken. Everything else, also a connection that breaks now: it was.
        if fault is None or fault in (HANG_UP, SILENCE):
            with self.sink._lock:
                self.sink.mails.append(mail)
        if self.sink.delay:
            time.sleep(self.sink.delay)
        self.give(fault, "250 2.0.0 taken")
        self.recipient = None

    def start_tls(self):
        certificate, key = self.sink.tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with self.sink._lock:
            self.sink._sockets.discard(self.connection)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        with self.sink._lock:
            self.sink._sockets.add(self.connection)
            self.sink.secured += 1
        self.lines = self.connection.makefile("rb", buffering=65536)
        self.secure = True

    def answer(self, stage, line, otherwise):
        """True when the answer is the ordinary one."""
        return self.give(self.sink._fault(stage, line), otherwise)

    def give(self, fault, otherwise):
        if fault is None:
            self.say(otherwise)
            return True
        if fault is HANG_UP:
            self.connection.shutdown(socket.SHUT_RDWR)
            raise EOFError("hung up as ordered")
        if isinstance(fault, Last):
            self.say(fault.words)
            self.connection.shutdown(socket.SHUT_RDWR)
            raise EOFError("hung up as ordered")
        if fault is SILENCE:
            self.sink._stopped.wait(120)
            raise EOFError("silent as ordered")
        self.say(fault)
        return False

    def say(self, text):
        self.connection.sendall(text if isinstance(text, bytes) else text.encode() + b"\r\n")


def address_in(command):
    found = re.search(r'<((?:"(?:\\.|[^"\\])*"@)?[^>]*)>', command)  # a quoted local part may hold a >
    return found.group(1) if found else ""
