#!/usr/bin/env python3
"""subscriber import against sqlite3 .import: the same file, alternating rounds.

    tests/bench/importing.py [--rows 200000] [--rounds 3]
"""

import argparse
import shutil

from measuring import BINARY, Folder, Site, hardware, median, need, run_measured, table

# One row of the file is, with us, a subscriber, a subscription and a line of the consent record. sqlite3 gets the same work: one table
# it fills from the file, and triggers that keep the other two, with our indexes.
SCHEMA = """
CREATE TABLE subscriber (id INTEGER PRIMARY KEY, address TEXT, address_key TEXT UNIQUE, name TEXT, attributes TEXT, created_at INTEGER);
CREATE TABLE subscription (id INTEGER PRIMARY KEY, list_id INTEGER, subscriber_id INTEGER, activated_at INTEGER, left_at INTEGER);
CREATE INDEX subscription_of_list ON subscription (list_id, id);
CREATE UNIQUE INDEX subscription_active ON subscription (subscriber_id, list_id) WHERE left_at IS NULL;
CREATE INDEX subscription_of_subscriber ON subscription (subscriber_id);
CREATE TABLE consent (id INTEGER PRIMARY KEY, list_id INTEGER, address_key TEXT, event TEXT, at INTEGER, words TEXT);
CREATE INDEX consent_of_address ON consent (address_key);
CREATE VIEW file AS SELECT address AS email, name, attributes AS town FROM subscriber;
CREATE TRIGGER take INSTEAD OF INSERT ON file BEGIN
  INSERT INTO subscriber (address, address_key, name, attributes, created_at)
  VALUES (NEW.email, lower(NEW.email), NEW.name, json_object('town', NEW.town), 1);
  INSERT INTO subscription (list_id, subscriber_id, activated_at) SELECT 1, id, 1 FROM subscriber WHERE address_key = lower(NEW.email);
  INSERT INTO consent (list_id, address_key, event, at, words) VALUES (1, lower(NEW.email), 'imported', 1, 'a measurement');
END;
"""


# The least that .import can do: one table with one index.
PLAIN = "CREATE TABLE subscriber (email TEXT UNIQUE, name TEXT, town TEXT);"


def sqlite3_import(place, name, schema, target, readers):
    script = place / f"{name}.sql"
    script.write_text(f"PRAGMA journal_mode=WAL;\nPRAGMA synchronous=FULL;\n{schema}\nBEGIN;\n"
                      f".import --csv --skip 1 {readers} {target}\nCOMMIT;\n")
    return ["sh", "-c", f"exec sqlite3 {place / name}.db < {script}"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=200_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    need("sqlite3", BINARY)
    ours, plain, triggers = [], [], []
    with Folder() as folder:
        readers = folder / "readers.csv"
        readers.write_text("email,name,town\n" + "".join(
            f"reader.{i * 7919 % 1_000_003:07}@example{i % 97}.test,Johanna{i % 1000} Lindgren,Harbourtown {i % 50}\n"
            for i in range(options.rows)))
        for number in range(options.rounds):
            place = folder / str(number)
            place.mkdir()
            site = Site(place, "outbox:")
            postrider = [BINARY, "-C", site.folder, "subscriber", "import", readers, "--list", "daily", "--confirmed",
                         "--basis", "a measurement"]
            for rounds, command in ((ours, postrider),
                                    (triggers, sqlite3_import(place, "same", SCHEMA, "file", readers)),
                                    (plain, sqlite3_import(place, "plain", PLAIN, "subscriber", readers))):
                wall, cpu, peak = run_measured(command)
                rounds.append({"rate": options.rows / wall, "per_cpu": options.rows / cpu, "peak": peak})
            shutil.rmtree(place)
    print(f"{options.rows} rows with a name and one attribute; medians of {options.rounds} alternating rounds\n{hardware()}\n")
    names = (("postrider subscriber import", ours), ("sqlite3 .import, the same tables and indexes", triggers),
             ("sqlite3 .import, one table, one index", plain))
    rows = [(name, f"{median(rounds, 'rate'):,.0f}", f"{median(ours, 'rate') / median(rounds, 'rate'):.2f}",
             f"{median(rounds, 'peak') / 1024:.0f}") for name, rounds in names]
    table(("", "rows/s", "ours is", "peak MB"), rows)


main()
