"""gmime.py FOLDER: prints {file: what GMime makes of that mail}, in the shape of mail_bytes.as_python_reads."""

import json
import sys
from pathlib import Path

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402


def mailboxes(addresses):
    found = []
    for index in range(addresses.length()):
        address = addresses.get_address(index)
        addr = address.get_idn_addr() if isinstance(address, GMime.InternetAddressMailbox) else None
        found.append([(address.get_name() or "").strip(), addr])
    return found


def names(entity):
    headers = entity.get_header_list()
    return [headers.get_header_at(index).get_name() for index in range(headers.get_count())]


def read(data):
    message = GMime.Parser.new_with_stream(GMime.StreamMem.new_with_buffer(data)).construct_message(None)
    parts = []
    body = message.get_mime_part()
    for index in range(body.get_count()) if isinstance(body, GMime.Multipart) else []:
        part = body.get_part(index)
        parts.append([part.get_content_type().get_mime_type(), part.get_text()])
    return {
        "fields": names(message) + names(body),
        "from": mailboxes(message.get_from()),
        "to": mailboxes(message.get_to()),
        "subject": message.get_subject() or "",
        "date": message.get_date().to_unix(),
        "message_id": message.get_message_id(),
        "parts": parts,
    }


GMime.init()
json.dump({file.name: read(file.read_bytes()) for file in Path(sys.argv[1]).iterdir()}, sys.stdout)
