"""dkimpy.py RECORDS.json FOLDER: prints {file: {algorithm: result}}."""

import json
import sys
from pathlib import Path

import dkim

records = json.loads(Path(sys.argv[1]).read_text())


def answer(name, timeout=5):
    return records[name.decode().rstrip(".")].encode()


def verify(message):
    mail = dkim.DKIM(message)
    results = {}
    for index, field in enumerate(value for name, value in mail.headers if name.lower() == b"dkim-signature"):
        algorithm = dkim.util.parse_tag_value(field)[b"a"].decode()
        try:
            results[algorithm] = "pass" if mail.verify(idx=index, dnsfunc=answer) else "fail"
        except dkim.DKIMException as refused:
            results[algorithm] = f"fail: {refused}"
    return results


json.dump({file.name: verify(file.read_bytes()) for file in Path(sys.argv[2]).iterdir()}, sys.stdout)
