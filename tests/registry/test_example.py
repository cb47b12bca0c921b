"""examples/avro as its README has it, but for addresses: machines, broker, Kafka with a registry, PostgreSQL. What a
subscriber heard, read by python3-avro, is what the typed columns and the topic's values say, read by psql and by
the example's own reader, which is Confluent's client."""

import datetime
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for folder in ("broker", "kafka", "postgresql", "factory"):
    sys.path.insert(0, str(ROOT / "tests" / folder))
import checks
import cluster
import confluent
import weighings
from broker import Broker, wait_until
from test_kafka import no_kafka

EXAMPLE = ROOT / "examples" / "avro"
MESSAGES = 2000
TYPES = {"at": "timestamp with time zone", "line": "text", "lot": "text", "grams": "numeric", "verdict": "text",
         "belt_mm_s": "integer", "metal": "real", "sluice_id": "uuid"}
CODES = {"Avro cut off": "avro.truncated", "Avro with an unknown symbol": "avro.enum",
         "Avro of an unknown schema": "avro.unknown_schema_id", "out of limits": "limits.min"}
NAMES = ("stream", "historian", "quality")


def no_postgresql():
    return None if cluster.programs() else "no PostgreSQL (Debian: postgresql)"


SKIP = (no_kafka, confluent.fetch, no_postgresql)


class Plant:
    """The example with servers of our own; `changes`: [(words of sluice.yaml, other words)]."""

    def __init__(self, place):
        for folder in (place.folder, *place.folder.parents):
            if folder.stat().st_uid == os.getuid() and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        self.place, self.kafka, self.runs = place, place.kafka(), 0
        self.registry = place.registry("example")  # its own: the subject's first id is the example's
        self.database = cluster.Cluster()
        self.database.sql("CREATE ROLE sluice LOGIN PASSWORD 'biscuits'")
        self.database.sql("CREATE DATABASE plant OWNER sluice")
        self.kafka.create("weighings", 3)
        shutil.copytree(ROOT / "examples/factory/schemas", place.folder / "factory/schemas")
        for path in (place.folder / "factory").rglob("*"):
            path.chmod(0o755)
        (place.folder / "factory").chmod(0o755)
        self.broker = Broker(place.folder / "avro", self.text(), env={"no_proxy": "127.0.0.1"})

    def text(self, *changes):
        text = (EXAMPLE / "sluice.yaml").read_text()
        for words, other in (("data_dir: ../../build/avro-example", "data_dir: @HOME@/data"),
                             ("http://localhost:8081/apis/ccompat/v7", self.registry.url),
                             ("localhost:9092", self.kafka.address), *changes):
            assert text.count(words) == 1, words
            text = text.replace(words, other)
        assert text.count("host=localhost ") == 2
        return text.replace("host=localhost ", f"host=127.0.0.1 port={self.database.port} ")

    def sluice(self, *arguments):
        done = subprocess.run([self.place.build / "sluice", *arguments], capture_output=True, text=True, timeout=60,
                              check=False, env=dict(os.environ, no_proxy="127.0.0.1"))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_tables(self):
        """`sluice ddl … | psql`"""
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.database.port),
                        "-U", "sluice", "plant"], input=self.sluice("ddl", str(self.broker.config_path)), text=True,
                       check=True, env=dict(os.environ, PGPASSWORD="biscuits", PGOPTIONS="-c client_min_messages=warning"))
        columns = self.database.sql("SELECT column_name, data_type FROM information_schema.columns "
                                    "WHERE table_name = 'weighing'", "plant")
        assert dict(columns) == TYPES, columns

    def check(self):
        said = json.loads(self.sluice("check", "--connect", "--json", str(self.broker.config_path)))
        assert said["ok"] and {sink["name"] for sink in said["sinks"]} == set(NAMES), said

    def run_machines(self, *arguments):
        """(topic, fields) of each message that went on, {kind: acknowledged}."""
        self.runs += 1
        path = self.place.folder / f"heard {self.runs}"
        before = self.broker.status()["messages"]
        with open(path, "wb") as out:
            listener = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-q", "1",
                                         "-t", "factory/#", "-t", "ready", "-F", "%t\t%x"], stdout=out)
        try:
            wait_until(lambda: self.ready(path), "the subscriber is there", every=0.1)
            done = subprocess.run([self.place.build / "examples/factory/factory", "--quiet", "--port",
                                   str(self.broker.port), "--only", "checkweigher", "--rate", "0", "--messages",
                                   str(MESSAGES), *arguments], capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

            def counted(status, name):
                return status["messages"][name] - before[name]
            status = self.broker.status_when(
                lambda s: counted(s, "accepted") + counted(s, "rerouted") == MESSAGES and
                all(s["sinks"][name]["spooled"] == 0 for name in NAMES), "all is judged and delivered", 60)
            wait_until(lambda: len(heard(path)) == counted(status, "accepted"), "all were heard")
        finally:
            listener.terminate()
            listener.wait()
        acknowledged = {kind: int(n) for kind, n in re.findall(r"^  (.+?) +\d+ +(\d+) +\d+$", done.stdout, re.M)}
        assert acknowledged["all"] == MESSAGES, done.stdout
        return heard(path), acknowledged

    def ready(self, path):
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-t", "ready", "-m", "x"],
                       check=True)
        return b"ready" in path.read_bytes()

    def rows(self):
        return sorted((int(at), line, lot, grams, verdict, int(belt), metal and float(metal)) for
                      at, line, lot, grams, verdict, belt, metal in self.database.sql(
            "SELECT (extract(epoch FROM at) * 1000)::bigint, line, lot, grams, verdict, belt_mm_s, metal FROM weighing",
            "plant", "sluice"))

    def violations(self):
        return {code: int(n) for code, n in self.database.sql(
            "SELECT payload #>> '{violations,0,code}', count(*) FROM sluice.messages WHERE kind = 'violation' GROUP BY 1",
            "plant")}

    def values(self, n):
        """The topic as the example's reader prints it."""
        done = subprocess.run([sys.executable, EXAMPLE / "read.py", self.kafka.address, self.registry.url, str(n)],
                              capture_output=True, text=True, timeout=120, check=False,
                              env=dict(os.environ, no_proxy="127.0.0.1", PYTHONPATH=str(confluent.HOME)))
        assert done.returncode == 0, done.stderr[-2000:]
        names = {"datetime": datetime, "Decimal": Decimal}
        return [eval(line, names) for line in done.stdout.splitlines()]  # what it printed are Python's own words

    def close(self):
        self.broker.kill()
        self.database.close()


def heard(path):
    lines = [line.split(b"\t") for line in path.read_bytes().split(b"\n") if line.startswith(b"factory/")]
    read = weighings.read([payload.decode() for _, payload in lines])
    return [(topic.decode(), fields) for (topic, _), (_, fields) in zip(lines, read, strict=True)]


def as_float(value):
    """A float's own digits, as PostgreSQL prints them: the shortest that are no other float."""
    if value is None:
        return ""
    pack = lambda number: struct.pack("<f", number)
    return next(float(text) for digits in range(1, 10) if pack(float(text := f"{value:.{digits}g}")) == pack(value))


def as_rows(messages):
    return sorted((fields["at"], topic.split("/")[1], fields["lot"], fields["grams"], fields["verdict"],
                   fields["belt_mm_s"], as_float(fields["metal"])) for topic, fields in messages)


def as_values(messages):
    """As Python's clients see them: a float in full, numbers as numbers."""
    return sorted(str((fields["at"], fields["lot"], fields["grams"], fields["verdict"], fields["belt_mm_s"],
                       fields["metal"])) for fields in messages)


def expect_topic(plant, messages):
    """The topic holds them, keyed by where they came from, and the example's reader reads just what is in there."""
    records = plant.kafka.consume("weighings")
    latest = plant.registry.ask("GET", "/subjects/weighings-value/versions/latest")
    assert latest["schema"] == weighings.SCHEMA.read_text(), latest
    assert {record.value[:5] for record in records} == {b"\x00" + latest["id"].to_bytes(4, "big")}
    once = list({record.id: record for record in records}.values())  # Kafka may have one twice, with the same id
    def fields_of(those):
        return [fields for _, fields in weighings.read([record.value.hex() for record in those])]
    def pairs(topics, fields):
        return sorted(zip(topics, map(str, fields), strict=True))
    found = pairs([record.key.decode() for record in once], fields_of(once))
    wanted = pairs([topic for topic, _ in messages], [fields for _, fields in messages])
    assert found == wanted, (len(found), len(wanted), found[:1], wanted[:1])
    read = [{**value, "at": int(value["at"].timestamp() * 1000 + 0.5), "grams": str(value["grams"])}
            for value in plant.values(len(records))]
    assert as_values(read) == as_values(fields_of(records)), (read[:2], len(read), len(records))
    return latest["id"]


def expect(plant, messages, acknowledged):
    """All that went on is in the columns and in the topic; what did not is there with its reason."""
    rows = plant.rows()
    assert rows == as_rows(messages), (len(rows), len(messages), rows[:2], as_rows(messages)[:2])
    violations = plant.violations()
    assert sum(violations.values()) == acknowledged["all"] - len(messages), violations
    for kind, code in CODES.items():  # what a gateway sends again has no kind of its own
        assert violations[code] >= acknowledged[kind] > 0, (kind, violations, acknowledged)
    return expect_topic(plant, messages)


def test_the_avro_example_is_what_its_page_says(place):
    plant = Plant(place)
    try:
        plant.make_tables()
        plant.check()
        plant.broker.start()
        messages, acknowledged = plant.run_machines()
        schema_id = expect(plant, messages, acknowledged)
        # Machines that know the registry, and the others as before.
        plant.broker.configure(plant.text(("file: ../factory/schemas/weighing.v1.avsc",
                                           "registry: {subject: weighings-value, version: latest}")))
        plant.broker.hup()
        plant.broker.status_when(lambda s: s["generation"] >= 2 and not s["config_error"], "the schema is fetched")
        for arguments in (("--schema-id", str(schema_id)), ("--seed", "7")):
            more, denied = plant.run_machines(*arguments)
            messages += more
            acknowledged = {kind: n + denied.get(kind, 0) for kind, n in acknowledged.items()}
        expect(plant, messages, acknowledged)
        plant.broker.stop(60)
        checks.identities(plant.broker.status())
    except BaseException:
        print("    " + plant.broker.log()[-3000:].replace("\n", "\n    "))
        raise
    finally:
        plant.close()
