"""What may befall a PostgreSQL behind a real broker while messages pour in: every acknowledged message is
one row, nothing is there twice, and each cause is told in one line.

The table's rows say n, the number of the message; sluice_id is the record's.
"""

import json
import os
import re
import signal
import sys

import checks
import mqtt
import places
from harness import BrokerTest, config, policy
from pouring import Ledger, Pouring, message

sys.path.insert(0, str(places.TESTS / "postgresql"))
from cluster import Cluster, until  # noqa: E402
from proxy import Proxy  # noqa: E402

COLUMNS = {"n": {"from": "/n", "type": "bigint"}, "value": {"from": "/value", "type": "float8"},
           "topic": {"from": "${topic}", "type": "text"}}
TOLD = re.compile(r"sluice: sink historian: (.*); \d+ records wait, next try in ")


class DatabaseFaults(BrokerTest):
    def setUp(self):
        super().setUp()
        self.cluster, self.ledger = Cluster(), Ledger()
        self.addCleanup(self.cluster.close)
        self.database = self.cluster.database()

    def start(self, start=True, **options):
        section = {"type": "postgresql", "conninfo": self.cluster.conninfo(self.database),
                   "layout": "columns", "table": "reading", "columns": COLUMNS, "create": True, **options}
        return self.broker(config([policy(to=["historian"])], {"historian": section}), start=start)

    def sql(self, text, **options):
        return self.cluster.sql(text, self.database, **options)

    def place(self):
        """How far the database has come."""
        rows = self.sql("SELECT coalesce(max(seq), 0) FROM sluice.progress", check=False)
        return int(rows[0][0]) if rows else 0

    def goes_on(self, by=1):
        """Wait until so many more records are committed."""
        target = self.place() + by
        until(f"record {target} is committed", lambda: self.place() >= target, 90)

    def pour(self, broker, count):
        flood = mqtt.Flood(broker.port, message, self.ledger.next)
        flood.run(count=count)
        flood.close()
        self.ledger.add(flood)

    def delivered(self, broker):
        return broker.status_when(
            lambda s: s["pid"] == broker.pid and s["sinks"]["historian"]["spooled"] == 0,
            "everything delivered", 120, fresh=True)

    def causes(self, broker):
        """What the sink has told, each cause once. A cause that stays is repeated once a minute."""
        found = [match[1] for match in map(TOLD.match, broker.sluice_lines()) if match]
        return list(dict.fromkeys(found))

    def pauses(self, broker, *words):
        """It stands still, and there is one line, of one cause, that has the words."""
        status = broker.status_when(
            lambda s: s["sinks"]["historian"]["state"] == "paused" and
            all(word in (s["sinks"]["historian"]["last_error"] or "") for word in words), f"paused: {words}", 60)
        cause = status["sinks"]["historian"]["last_error"]
        until("it is told", lambda: cause in self.causes(broker))
        lines = [line for line in broker.sluice_lines() if cause in line]
        self.assertEqual(len(lines), 1, lines)

    def nothing_lost_or_doubled(self, broker, letters=0):
        """Everything goes in; a clean stop; the whole account."""
        self.delivered(broker)
        status = self.finish(broker)
        checks.identities(status)
        sink = status["sinks"]["historian"]
        self.assertEqual((sink["dead_lettered"], sink["discarded"], sink["corrupt"]), (letters, 0, 0))
        rows = self.sql("SELECT n, topic FROM reading ORDER BY sluice_id")
        self.assertEqual(self.sql("SELECT count(*) - count(DISTINCT n), "
                                  "count(*) - count(DISTINCT sluice_id) FROM reading"), [["0", "0"]])
        numbers = [int(n) for n, _ in rows]
        if not letters:
            self.assertEqual(self.ledger.missing(set(numbers)), [])
        self.assertEqual(numbers, sorted(numbers), "not in the order of the messages")
        return status

    # ---- the server dies, or an answer of its --------------------------------------------------------

    def test_backends_that_are_killed_under_load(self):
        broker, killed = self.start(), 0
        with Pouring(broker, self.ledger):
            self.goes_on()
            while killed < 20:
                killed += int(self.sql("SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM "
                                       "pg_stat_activity WHERE application_name = 'sluice/historian') k")[0][0])
                self.goes_on()
        self.nothing_lost_or_doubled(broker)

    def test_a_server_that_is_stopped_without_mercy_under_load(self):
        broker = self.start()
        with Pouring(broker, self.ledger):
            for _ in range(5):
                self.goes_on()
                self.cluster.restart("immediate")
            self.goes_on()
        self.nothing_lost_or_doubled(broker)

    def test_answers_to_commit_that_are_lost(self):
        proxy = Proxy(self.cluster.port)
        self.addCleanup(proxy.close)
        broker = self.start(conninfo=f"host=127.0.0.1 port={proxy.port} dbname={self.database} user=postgres")
        with Pouring(broker, self.ledger):
            self.goes_on()
            for n in range(1, 6):
                proxy.swallow = 1
                until("the answer is lost", lambda at=n: proxy.swallowed == at, 90)
                self.goes_on()
        self.assertEqual(proxy.swallowed, 5)
        self.nothing_lost_or_doubled(broker)

    def waiting(self, event):
        rows = self.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'sluice/historian' "
                        f"AND wait_event = '{event}'")
        return int(rows[0][0]) if rows else None

    def test_a_backend_that_freezes_in_commit_and_commits_after_the_deadline(self):
        broker = self.start(timeout="2s")
        self.pour(broker, 1000)
        self.delivered(broker)
        # COMMIT waits for a standby that does not exist, after it has written everything
        self.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        self.cluster.reload()
        with Pouring(broker, self.ledger):
            pid = until("COMMIT hangs", lambda: self.waiting("SyncRep"))
            os.kill(pid, signal.SIGSTOP)
            try:
                self.sql("ALTER SYSTEM RESET synchronous_standby_names")
                self.cluster.reload()
                # nobody knows whether it will commit, so nothing may go on
                until("others wait for its row", lambda: "canceling statement due to lock timeout" in
                      open(self.cluster.log, encoding="utf-8").read())
                self.assertEqual(self.sql("SELECT count(*) FROM reading"), [["1000"]])
            finally:
                os.kill(pid, signal.SIGCONT)
            self.goes_on()
        self.nothing_lost_or_doubled(broker)

    # ---- what somebody has to mend -----------------------------------------------------------------------

    def test_a_password_that_is_changed_is_read_again(self):
        self.sql("CREATE ROLE writer LOGIN SUPERUSER PASSWORD 'first-secret'")
        rules = os.path.join(self.cluster.data, "pg_hba.conf")
        with open(rules, encoding="utf-8") as file:
            before = file.read()
        with open(rules, "w", encoding="utf-8") as file:
            file.write("host all writer 127.0.0.1/32 scram-sha-256\n" + before)
        self.cluster.reload()
        conninfo = f"host=127.0.0.1 port={self.cluster.port} dbname={self.database} user=writer"
        broker = self.start(start=False, conninfo=conninfo, password_file="@HOME@/password")
        secret = broker.home / "password"
        secret.write_text("first-secret\n")
        broker.give(secret)
        broker.start()
        with Pouring(broker, self.ledger):
            self.goes_on()
            self.sql("ALTER ROLE writer PASSWORD 'second-secret'")
            self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                     "'sluice/historian'")
            self.pauses(broker, "password authentication failed", "28P01")
            secret.write_text("second-secret\n")
            self.goes_on()
        self.nothing_lost_or_doubled(broker)
        self.assertNotIn("-secret", broker.log())

    def test_a_standby_is_waited_for_until_it_is_promoted(self):
        first = self.start()
        self.pour(first, 1000)
        self.delivered(first)
        self.finish(first)
        standby = self.cluster.standby()
        self.addCleanup(standby.close)
        first.configure(first.config_path.read_text().replace(
            self.cluster.conninfo(self.database), standby.conninfo(self.database)))
        broker = first.start()
        with Pouring(broker, self.ledger):
            self.pauses(broker, "read-only", "25006")
            self.cluster.stop("immediate")
            self.cluster = standby
            standby.promote()
            self.goes_on()
        self.nothing_lost_or_doubled(broker)

    def test_a_column_that_is_missing_is_named(self):
        broker = self.start()
        with Pouring(broker, self.ledger):
            self.goes_on()
            self.sql("ALTER TABLE reading DROP COLUMN value")
            self.pauses(broker, "value (float8) is missing")
            self.sql("ALTER TABLE reading ADD COLUMN value float8")
            self.goes_on()
        self.nothing_lost_or_doubled(broker)

    def test_a_table_that_is_gone_is_waited_for(self):
        broker = self.start(start=False, create=False)
        ddl = checks.run(["ddl", broker.home / "sluice.yaml", "historian"]).stdout
        self.sql(ddl)
        broker.start()
        with Pouring(broker, self.ledger):
            self.goes_on()
            self.sql("BEGIN; LOCK TABLE reading; CREATE TABLE kept AS TABLE reading; "
                     "DROP TABLE reading; COMMIT")
            self.pauses(broker, "table reading is missing", "`sluice ddl`")
            self.sql(ddl)
            self.goes_on()
        self.sql("INSERT INTO reading TABLE kept")
        self.nothing_lost_or_doubled(broker)

    # ---- what the server will never take --------------------------------------------------------------------

    POISON = {  # a field, what is wrong with it, the code
        "type": ("/word", '"soon"', "column.type"),
        "check": ("/checked", "-1", "pg.23514"),
        "foreign key": ("/parent", "99", "pg.23503"),
        "U+0000": ("/text", '"a\\u0000b"', "column.type"),
        "1e400": ("/double", "1e400", "column.type"),
        "numeric overflow": ("/small", "123456.7", "pg.22003"),
    }

    def test_rows_of_each_class_of_poison_are_set_aside_and_all_others_go_in(self):
        self.sql("CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1); "
                 "CREATE TABLE reading (sluice_id uuid, n bigint, value float8, topic text, word int, "
                 "checked int CHECK (checked >= 0), parent int REFERENCES parent, text text, "
                 "double float8, small numeric(5,2))")
        types = {"word": "integer", "checked": "integer", "parent": "integer", "text": "text",
                 "double": "float8", "small": "numeric"}
        broker = self.start(columns={**COLUMNS, **{
            name: {"from": f"/{name}", "type": kind} for name, kind in types.items()}})
        classes = list(self.POISON.values())
        count, every = 3000, 500
        poisoned = {every * (i + 1) - 1: classes[i] for i in range(count // every)}
        self.assertEqual(len(poisoned), len(classes))

        def message_with(n):
            pointer, wrong, _ = poisoned.get(n, ("/parent", "1", ""))
            return "in/line", b'{"value":%d,"n":%d,"%s":%s}' % (n % 400, n, pointer[1:].encode(), wrong.encode())

        flood = mqtt.Flood(broker.port, message_with)
        flood.run(count=count)
        flood.close()
        self.ledger.add(flood)
        self.nothing_lost_or_doubled(broker, letters=len(classes))
        self.assertEqual([int(row[0]) for row in self.sql("SELECT n FROM reading ORDER BY n")],
                         [n for n in range(count) if n not in poisoned])
        letters = [json.loads(line, parse_float=str) for path in
                   sorted((broker.data_dir / "dead" / "historian").glob("*.jsonl"))
                   for line in path.read_text().splitlines()]
        self.assertEqual({letter["payload"]["n"]: letter["dead"]["code"] for letter in letters},
                         {n: code for n, (_, _, code) in poisoned.items()})
        self.assertEqual(self.causes(broker), [], "a row that is refused holds nothing up")
