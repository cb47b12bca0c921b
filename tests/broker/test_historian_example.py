"""examples/historian as its README has it, but for addresses: a night of known readings and then the simulator, through
the broker into a real PostgreSQL. First the tables are compared with what was sent, then each answer of queries.sql
with one that questions.py works out from them."""

import csv
import io
import json
import os
import re
import subprocess
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import biscuits
import checks
import places
import questions
from biscuits import masked
from harness import BrokerTest
from questions import ANY, Rounded, interval, moment
from test_historian import Cluster  # it knows where that is
from cluster import programs

EXAMPLE = places.ROOT / "examples" / "historian"
SINKS = ("samples", "ovens", "mixing", "packs", "quality")
MESSAGES, SEED = 3000, "9"
OWNED = (r"factory/[^/]+/(mixer/[^/]+/state|oven/[^/]+/(temperature|humidity)|cooler/[^/]+/temperature|"
         r"packer/[^/]+/(pack|weight))$")
TRIAL = 245  # °C, of ovens-tighter
TABLES = {
    "samples": "SELECT id, ts AS at, tag, value, text, quality FROM sluice.samples ORDER BY id, tag",
    "ovens": "SELECT sluice_id AS id, at, line, oven, zone, celsius, burner, quality FROM oven_temperature ORDER BY 1",
    "mixing": "SELECT sluice_id AS id, at, line, mixer, recipe, running FROM mixing ORDER BY 1",
    "packs": "SELECT sluice_id AS id, packed_at AS at, line, packer, lot, gtin, grams FROM packs ORDER BY 1",
    "messages": "SELECT id, received_at AS at, topic, policy, payload #>> '{violations,0,code}' AS code, "
                "payload #>> '{violations,0,pointer}' AS pointer, payload #>> '{violations,0,message}' AS message, "
                "payload ->> 'enforced' AS enforced, payload #>> '{original,payload}' AS original "
                "FROM sluice.messages WHERE kind = 'violation' ORDER BY 1",
}
TYPES = {"at": moment, "value": float, "celsius": float, "zone": int, "quality": int, "grams": Decimal,
         "running": lambda text: text == "t", "burner": lambda text: text == "t"}


class Tables:
    """All rows, in the order in which their messages came."""

    def __init__(self, ask):
        for name, text in TABLES.items():
            setattr(self, name, [{key: None if field is None else TYPES.get(key, str)(field)
                                  for key, field in row.items()} for row in ask(text)])


def milliseconds(at):
    return round(at.timestamp() * 1000)


def night(now):
    """[(topic, payload)] of line 3 last night, five minutes apart: known excursions, a silence, stops, bad ones."""
    begins = (now - timedelta(hours=20)).replace(minute=0, second=0, microsecond=0)
    for step in range(72):  # six hours
        ts = milliseconds(begins + timedelta(minutes=5 * step))
        celsius = 250.5 if 10 <= step < 13 else 242.25 if 30 <= step < 32 or step == 40 else 220 + step % 3
        for zone in (1, 4):
            yield "factory/line3/oven/1/temperature", {"ts": ts, "zone": zone, "burner": True,
                                                       "celsius": celsius - (15 if zone == 4 else 0)}
        if step == 50:
            yield "factory/line3/oven/1/temperature", {"ts": ts, "zone": 1, "celsius": 300}
        if not 20 <= step < 38:  # the gateway of the mixers is silent for an hour and a half
            for mixer, stopped in (("1", 50 <= step < 55), ("2", step >= 60)):
                yield f"factory/line3/mixer/{mixer}/state", {
                    "ts": ts, "recipe": "oat" if step < 36 else "ginger", "dough_c": 24.5 + step / 100,
                    "speed_rpm": 0 if stopped else 41, "torque_nm": 0 if stopped else 100 + step,
                    "running": not stopped}
        if step % 6 == 3:
            yield "factory/line3/packer/1/pack", {"ts": ts + 1000, "lot": f"L26-{step:04}-A", "gtin": "4006381333931",
                                                  "grams": 200.5}
    yield "factory/line3/packer/1/pack", {"ts": ts, "lot": "lot 7?", "gtin": "4006381333931", "grams": 200.5}


class HistorianExample(BrokerTest):
    def setUp(self):
        super().setUp()
        if programs() is None:
            self.skipTest("no PostgreSQL (Debian: postgresql)")
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.cluster.sql("CREATE ROLE sluice LOGIN PASSWORD 'biscuits'")
        self.cluster.sql("CREATE DATABASE plant OWNER sluice")
        biscuits.copy_schemas(self.folder)

    def text(self):
        text = (EXAMPLE / "sluice.yaml").read_text()
        self.assertEqual(text.count("host=localhost "), len(SINKS))
        self.assertEqual(text.count("data_dir: ../../build/historian-example"), 1)
        return (text.replace("host=localhost ", f"host=127.0.0.1 port={self.cluster.port} ")
                .replace("data_dir: ../../build/historian-example", "data_dir: @HOME@/data"))

    def sluice(self, *arguments):
        done = checks.run(arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def psql(self, text, *options, user="sluice"):
        done = subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *options, "-h", "127.0.0.1", "-p", str(self.cluster.port),
             "-U", user, "plant"], input=text, capture_output=True, text=True, check=False,
            env=dict(os.environ, PGPASSWORD="biscuits", PGTZ="UTC",
                     PGOPTIONS="-c client_min_messages=warning -c intervalstyle=postgres"))
        self.assertEqual((done.returncode, done.stderr), (0, ""), text[:200])
        return done.stdout

    def rows(self, text, *options):
        reader = csv.DictReader(io.StringIO(self.psql(text, "--csv", "-P", "null=\x02", *options)))
        return [{key: None if field == "\x02" else field for key, field in row.items()} for row in reader]

    # ---- the tables ----------------------------------------------------------------------------------------

    def make_tables(self, file):
        self.psql(self.sluice("ddl", file))
        self.psql((EXAMPLE / "indexes.sql").read_text())
        met = json.loads(self.sluice("check", "--connect", "--json", file))
        self.assertEqual({(sink["name"], sink["ok"]) for sink in met["sinks"]}, {(name, True) for name in SINKS})

    def a_role_of_its_own(self, file):
        """The rights that the page names are enough."""
        self.cluster.sql("CREATE ROLE writer LOGIN")
        self.psql("GRANT USAGE ON SCHEMA sluice TO writer; GRANT SELECT, INSERT, UPDATE ON sluice.progress TO writer;"
                  "GRANT INSERT ON sluice.samples, sluice.messages, oven_temperature, mixing, packs TO writer")
        other = self.folder / "historian" / "writer.yaml"
        other.write_text(file.read_text().replace("user=sluice password=biscuits", "user=writer"))
        self.sluice("check", "--connect", other)

    # ---- what is sent --------------------------------------------------------------------------------------

    def play(self, broker):
        """[(topic, payload)] of all that was sent and that has a rule: (what must go in, what must not)."""
        good, bad = [], []
        client = broker.client("night")
        for topic, reading in night(datetime.now(timezone.utc)):
            payload = json.dumps(reading).encode()
            client.publish(topic, payload, 1)
            is_bad = reading.get("celsius") == 300 or reading.get("lot") == "lot 7?"
            (bad if is_bad else good).append((topic, payload))
        client.close()
        self.assertEqual(len(bad), 2)
        biscuits.publish(broker, MESSAGES, "--rate", "600", "--seed", SEED)
        for right, topic, payload in biscuits.said(MESSAGES, "--seed", SEED):
            if re.search(OWNED, topic):
                (good if right else bad).append((topic, payload))
        return good, bad

    # ---- what is there -------------------------------------------------------------------------------------

    def compare_tables(self, tables, good, bad, heard, began):
        self.assertEqual([masked(*row) for row in heard], [masked(*row) for row in good], "what subscribers heard")
        found = {"samples": [], "ovens": [], "mixing": [], "packs": []}
        for topic, payload in heard:  # the same as what was sent, with the time of the run
            self.expected_rows(found, topic, json.loads(payload))
        sample = lambda row: (row["tag"], row["value"], row["text"], row["quality"])
        self.assertEqual([sample(row) for row in tables.samples], [row[1:] for row in found["samples"]])
        for row, (at, *_) in zip(tables.samples, found["samples"]):
            if at is None:  # that of arrival
                self.assertTrue(began <= row["at"] <= datetime.now(timezone.utc), row)
            else:
                self.assertEqual(milliseconds(row["at"]), at, row)
        for name in ("ovens", "mixing", "packs"):
            self.assertEqual([(milliseconds(row["at"]), *list(row.values())[2:]) for row in getattr(tables, name)],
                             found[name], name)
        enforced = [row for row in tables.messages if row["enforced"] == "true"]
        self.assertEqual([masked(row["topic"], row["original"].encode()) for row in enforced],
                         [masked(*row) for row in bad])
        trial = [row for row in tables.messages if row["enforced"] == "false"]
        hot = [row for row in found["ovens"] if row[4] > TRIAL]
        self.assertEqual([json.loads(row["original"])["celsius"] for row in trial], [row[4] for row in hot])
        self.assertEqual({row["policy"] for row in trial}, {"ovens-tighter"})
        ids = [row["id"] for name in ("ovens", "mixing", "packs", "messages") for row in getattr(tables, name)]
        self.assertEqual(len(ids), len(set(ids)), "a record is there twice")
        self.assertEqual({row["id"] for row in tables.mixing},
                         {row["id"] for row in tables.samples if row["tag"].endswith("/recipe")})

    @staticmethod
    def expected_rows(found, topic, value):
        _, line, what, machine, _ = topic.split("/")
        if not isinstance(value, dict):
            found["samples"].append((None, topic, value, None, 192))
        elif what == "oven":
            found["ovens"].append((value["ts"], line, machine, value["zone"], value["celsius"], value.get("burner"),
                                   64 if value["celsius"] > TRIAL else 192))
        elif what == "packer":
            found["packs"].append((value["ts"], line, machine, value["lot"], value["gtin"],
                                   Decimal(str(value["grams"]))))
        else:
            found["mixing"].append((value["ts"], line, machine, value["recipe"], value["running"]))
            for name in sorted(set(value) - {"ts"}):
                field = value[name]
                found["samples"].append((value["ts"], f"{topic}/{name}", *(
                    (None, field) if isinstance(field, str) else (float(field), None)), 192))

    # ---- what is answered ----------------------------------------------------------------------------------

    def queries(self):
        """{name: text}, each with the variables before it."""
        head, *rest = re.split(r"^-- (\w+): ", (EXAMPLE / "queries.sql").read_text(), flags=re.M)
        found = {name: f"{head}\n-- {text}" for name, text in zip(rest[::2], rest[1::2])}
        page = (EXAMPLE / "README.md").read_text()
        self.assertEqual([name for name in found if f"`{name}`" not in page], [], "not on the page")
        return found

    def compare_answers(self, tables, at_least, **asked):
        """Each answer is the right one, and each question has one of so many rows at least."""
        options = [part for key, (text, _) in asked.items() for part in ("-v", f"{key}={text}")]
        ours = questions.Asked(datetime.now(timezone.utc), **{key: value for key, (_, value) in asked.items()})
        wrong = []
        for name, text in self.queries().items():
            wanted = list(getattr(questions, name)(tables, ours))
            answered = self.rows(text, *options)
            self.assertGreaterEqual(len(wanted), at_least.get(name, 1), (name, options))
            differ = [(got, want) for got, want in zip(answered, wanted)
                      if len(got) != len(want) or not all(map(is_same, got.values(), want))]
            if differ or len(answered) != len(wanted):
                wrong.append(f"'{name}': {len(answered)} rows, not {len(wanted)}; got, wanted: {differ[:1]}")
        if wrong:
            self.fail("\n".join([*options, *wrong]))

    def test_every_question_has_the_right_answer(self):
        broker = self.broker(self.text(), name="historian", start=False)
        file = broker.config_path
        self.make_tables(file)
        self.a_role_of_its_own(file)
        began = datetime.now(timezone.utc)
        broker.start()
        listener = biscuits.Listener(broker, self.folder / "heard")
        self.addCleanup(listener.close)
        good, bad = self.play(broker)
        broker.status_when(lambda s: all(s["sinks"][name]["spooled"] == 0 for name in SINKS) and
                           s["messages"]["accepted"] == len(good), "all is in", 60)
        heard = listener.heard_all(OWNED, len(good))
        status = self.finish(broker)
        checks.identities(status)
        self.assertEqual((status["messages"]["accepted"], status["messages"]["rerouted"]), (len(good), len(bad)))
        tables = Tables(self.rows)
        self.compare_tables(tables, good, bad, heard, began)

        night_only = {"downtime": 2, "excursions": 3, "gaps": 10, "out_of_limits": 1, "recipes": 2, "summary": 60}
        self.compare_answers(tables, night_only)
        self.compare_answers(tables, {"downtime": 0, "gaps": 20, "excursions": 2}, since=("2 hours", timedelta(hours=2)),
                             bucket=("second", "second"), gap=("40 milliseconds", timedelta(milliseconds=40)),
                             hi=("225", 225.0))
        self.psql((EXAMPLE / "queries.sql").read_text())  # in one go, as the page has it


def is_same(field, value):
    if value is ANY:
        return field is not None
    if value is None or field is None:
        return value is field
    if isinstance(value, datetime):
        return moment(field) == value
    if isinstance(value, timedelta):
        return interval(field) == value
    if isinstance(value, Decimal):
        return Decimal(field) == value
    if isinstance(value, Rounded):
        return value.is_printed(field)
    if isinstance(value, float):
        return float(field) == value
    return field == str(value)
