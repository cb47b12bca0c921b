"""A real PostgreSQL behind a real broker: real telemetry into the historian and into files at once, its
violations as rows, and the command line's way to the tables.

Columns and violations are two sinks; both take their place (sluice.progress) in the same database.
"""

import json
import subprocess
import sys

import checks
import mqtt
import places
from harness import BrokerTest, alone, config, policy
from test_telemetry import HIGH, LOW, is_good, readings

sys.path.insert(0, str(places.TESTS / "postgresql"))
from cluster import Cluster, until  # noqa: E402

COLUMNS = {"ts": {"from": "/ts", "type": "timestamptz"}, "value": {"from": "/value", "type": "numeric"},
           "machine": {"from": "{machine}", "type": "text"}, "id": {"from": "${id}", "type": "uuid"}}


class Historian(BrokerTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.database = self.cluster.database()

    def config(self, **historian):
        conninfo = self.cluster.conninfo(self.database)
        return config(
            [policy(id="machine", topics=["plant/{machine}/temperature"],
                    limits=[{"field": "/value", "min": LOW, "max": HIGH, "required": True}],
                    on_violation={"reroute": "alerts/{machine}", "to": ["quality"]},
                    to=["historian", "lake"])],
            {"lake": {"type": "file", "path": "@HOME@/lake"},
             "historian": {"type": "postgresql", "conninfo": conninfo, "layout": "columns",
                           "table": "reading", "columns": COLUMNS, **historian},
             "quality": {"type": "postgresql", "conninfo": conninfo, "create": True}})

    def sql(self, text):
        return self.cluster.sql(text, self.database)

    def count(self, table):
        """Its rows; 0 before the sink has made it."""
        rows = self.cluster.sql(f"SELECT count(*) FROM {table}", self.database, check=False)
        return int(rows[0][0]) if rows else 0

    def sluice(self, *arguments):
        return subprocess.run([str(places.sluice()), *map(str, arguments)], capture_output=True, text=True)

    def publish(self, broker, rows):
        flood = mqtt.Flood(broker.port, lambda n: (
            "plant/press/temperature", b'{"ts":%d,"value":%s}' % (rows[n][0], rows[n][1].encode())))
        flood.run(count=len(rows))
        flood.close()

    @alone
    def test_every_reading_is_a_row_and_every_violation_too(self):
        rows = readings()
        good = [row for row in rows if is_good(row)]
        broker = self.broker(self.config(create=True))
        self.publish(broker, rows)
        until("22,622 rows", lambda: self.count("reading") == 22_622)
        until("73 violations", lambda: self.count("sluice.messages") == 73)
        checks.counted(self.finish(broker), accepted=len(good), rerouted=len(rows) - len(good))

        stored = self.sql("SELECT (extract(epoch FROM ts) * 1000)::bigint, value, machine, id "
                          "FROM reading ORDER BY sluice_id")
        self.assertEqual([(ts, value) for ts, value, _, _ in stored],
                         [(str(ts), value) for ts, value in good])
        self.assertEqual({machine for _, _, machine, _ in stored}, {"press"})
        self.assertEqual([row[3] for row in stored],
                         [record["id"] for record in checks.lake(self.lake(broker))])
        reasons = self.sql("SELECT kind, payload #>> '{violations,0,code}', count(*) FROM sluice.messages "
                           "GROUP BY 1, 2 ORDER BY 2")
        high = sum(float(value) > HIGH for _, value in rows)
        self.assertEqual([row for row in reasons if row[1] == "limits.max"],
                         [["violation", "limits.max", str(high)]] if high else [])
        self.assertEqual(sum(int(row[2]) for row in reasons), 73)
        self.assertEqual({row[0] for row in reasons}, {"violation"})

    def test_a_dead_server_slows_nobody_and_gets_everything(self):
        rows = readings()[:6000]
        good = sum(map(is_good, rows))
        broker = self.broker(self.config(create=True))
        self.publish(broker, rows[:2000])
        until("rows", lambda: self.count("reading") > 0)
        self.cluster.stop("immediate")
        self.publish(broker, rows[2000:4000])  # acknowledged all the same
        broker.status_when(lambda s: s["sinks"]["lake"]["spooled"] == 0, "the lake goes on", 30)
        self.cluster.start()
        self.publish(broker, rows[4000:])
        until("all rows", lambda: self.count("reading") >= good, 90)
        status = self.finish(broker)
        checks.identities(status)
        self.assertEqual(status["sinks"]["historian"]["delivered"], good)
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT id) FROM reading"), [[str(good)] * 2])

    def test_a_missing_table_pauses_and_ddl_makes_it(self):
        broker = self.broker(self.config())
        self.publish(broker, readings()[:100])
        broker.status_when(lambda s: s["sinks"]["historian"]["state"] == "paused", "a pause", 30)
        until("a line that names sluice ddl", lambda: "sluice ddl" in broker.log())
        file = broker.home / "sluice.yaml"
        met = self.sluice("check", "--connect", "--json", file)
        self.assertEqual(met.returncode, 1, met.stdout + met.stderr)
        sinks = {sink["name"]: sink for sink in json.loads(met.stdout)["sinks"]}
        self.assertFalse(sinks["historian"]["ok"])
        self.assertIn(("table", False), [(p["what"], p["ok"]) for p in sinks["historian"]["points"]])

        ddl = self.sluice("ddl", file, "historian")
        self.assertEqual((ddl.returncode, ddl.stderr), (0, ""))
        self.sql(ddl.stdout)
        broker.hup()
        until("rows", lambda: self.count("reading") > 0, 90)
        met = self.sluice("check", "--connect", file)
        self.assertEqual(met.returncode, 0, met.stdout + met.stderr)
        checks.identities(self.finish(broker))

    def test_a_reload_closes_the_circuit_breaker(self):
        self.sql("CREATE TABLE reading (sluice_id uuid, ts timestamptz, value numeric(3,2), machine text, id uuid)")
        rows = [row for row in readings() if is_good(row)][:400]
        broker = self.broker(self.config(create=True))
        self.publish(broker, rows)  # values of two digits before the point, every one
        status = broker.status_when(lambda s: s["sinks"]["historian"]["state"] == "paused", "a pause", 60)
        self.assertIn("too many records are refused", status["sinks"]["historian"]["last_error"])
        self.assertIn("22003", status["sinks"]["historian"]["last_error"])
        self.sql("ALTER TABLE reading ALTER value TYPE numeric")
        broker.hup()  # the next try by itself would be minutes away
        status = broker.status_when(lambda s: s["sinks"]["historian"]["spooled"] == 0, "the rest", 60)
        dead = status["sinks"]["historian"]["dead_lettered"]
        self.assertGreaterEqual(dead, 100)
        self.assertLess(dead, len(rows))
        self.assertEqual(self.count("reading"), len(rows) - dead)
        checks.identities(self.finish(broker))

    def test_a_layout_of_values_takes_no_violations(self):
        broker = self.broker(self.config(), start=False)
        file = broker.home / "sluice.yaml"
        file.write_text(file.read_text().replace('"quality"]', '"historian"]'))
        met = self.sluice("check", "--json", file)
        self.assertEqual(met.returncode, 1, met.stdout)
        self.assertIn("takes messages only", json.loads(met.stdout)["errors"][0]["message"])

    def test_event_time_is_where_rows_and_files_say(self):
        conninfo = self.cluster.conninfo(self.database)
        broker = self.broker(config(
            [policy(id="ovens", topics=["oven/{oven}"], timestamp={"field": "/ts", "unit": "s"},
                    on_violation={"reroute": "alerts/{oven}", "to": ["everything"]},
                    to=["samples", "everything", "lake"])],
            {"lake": {"type": "file", "path": "@HOME@/lake"},
             "samples": {"type": "postgresql", "conninfo": conninfo, "layout": "narrow", "create": True},
             "everything": {"type": "postgresql", "conninfo": conninfo, "create": True}}))
        client = broker.client("gateway")
        self.addCleanup(client.close)
        for payload in (b'{"ts":1767225600.25,"value":21.5,"state":"on"}', b'{"value":21.5}',
                        b'{"ts":"soon","value":1}', b'{"ts":1767225601,"value":500}'):
            client.publish("oven/7", payload, qos=1)
        until("5 rows", lambda: self.count("sluice.messages") == 4 and self.count("sluice.samples") == 2)
        self.finish(broker)

        self.assertEqual(
            self.sql("SELECT extract(epoch FROM ts), tag, value, text FROM sluice.samples ORDER BY tag"),
            [["1767225600.250000", "oven/7/state", "", "on"], ["1767225600.250000", "oven/7/value", "21.5", ""]])
        self.assertEqual(
            self.sql("SELECT kind, payload #>> '{violations,0,code}', extract(epoch FROM event_at),"
                     " event_at = received_at FROM sluice.messages ORDER BY id")[0],
            ["message", "", "1767225600.250000", "f"])
        told = self.sql("SELECT payload #>> '{violations,0,code}', event_at = received_at,"
                        " extract(epoch FROM event_at) = 1767225601"
                        " FROM sluice.messages WHERE kind = 'violation' ORDER BY id")
        self.assertEqual(told, [["timestamp.missing", "t", "f"], ["timestamp.malformed", "t", "f"],
                                ["limits.max", "f", "t"]])
        self.assertEqual([record["event_time"] for record in checks.lake(self.lake(broker))],
                         ["2026-01-01T00:00:00.250000Z"])
