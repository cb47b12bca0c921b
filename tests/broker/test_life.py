"""Start, stop, and everything that must not start: wrong options, wrong files, wrong owners."""

import os
import re
import stat
import time
import unittest

import checks
import mqtt
import places
from broker import wait_until
from harness import BAD, GOOD, BrokerTest, cases, config, fast, needs_root, policy


class Start(BrokerTest):
    @fast
    def test_the_plugin_starts_says_so_and_stops(self):
        broker = self.broker(config([policy()]))
        self.assertTrue(broker.sluice_lines())
        self.assertLess(broker.stop(), 5)
        self.assertTrue(all(line.startswith("sluice: ") for line in broker.sluice_lines()))

    def test_files_are_nobody_elses_business(self):
        broker = self.broker(config([policy()]))
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        broker.stop()
        for path in [broker.data_dir, *broker.data_dir.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, path)
            self.assertEqual(path.stat().st_uid, broker.uid, path)
        for path in [self.lake(broker), *self.lake(broker).rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o750 if path.is_dir() else 0o640, path)

    REFUSED = {
        "an unknown option": ({"config": "@HOME@/sluice.yaml", "colour": "blue"}, ["colour"]),
        "no option at all": ({}, ["config"]),
        "a file that is not there": ({"config": "/nowhere/sluice.yaml"}, ["/nowhere/sluice.yaml"]),
        "a folder": ({"config": "@HOME@"}, ["@HOME@"]),
    }

    @cases(REFUSED)
    def test_a_wrong_option_stops_the_start(self, options, words):
        broker = self.broker(config([policy()]), start=False)
        home = str(broker.home)
        broker.options = {key: value.replace("@HOME@", home) for key, value in options.items()}
        log = broker.refuses_start()
        for word in words:
            self.assertIn(word.replace("@HOME@", home), log)
        self.assertIn("sluice: ", log)

    # name: (configuration, where, words)
    BROKEN = {
        "a misspelt key": (config([policy()], polices=[]), r"sluice\.yaml:\d+:1: ", ["policies"]),
        "a misspelt key in a policy": (config([policy(topicz=["x"])]), r"sluice\.yaml:\d+:\d+: ",
                                       ["topics"]),
        "a limit of the wrong type": (config([policy(limits=[{"field": "/v", "max": "hot"}])]),
                                      r"sluice\.yaml:\d+:\d+: ", ["/policies/0/limits/0/max"]),
        "a policy twice": (config([policy(), policy()]), r"sluice\.yaml:\d+:\d+: ", ["p"]),
        "a schema that is not there": (config([policy(schema="oven:1")]), r"sluice\.yaml:\d+:\d+: ",
                                       ["oven:1"]),
        "a filter that meets its own alerts": (
            config([policy(topics=["in/#"], on_violation={"reroute": "in/bad"})]),
            r"sluice\.yaml:\d+:\d+: ", ["in/bad"]),
        "a template with an unknown level": (
            config([policy(on_violation={"reroute": "q/{oven}"})]), r"sluice\.yaml:\d+:\d+: ",
            ["oven"]),
        "two actions": (config([policy(on_violation={"drop": True, "reroute": "q"})]),
                        r"sluice\.yaml:\d+:\d+: ", ["on_violation"]),
        "a feature that is not built yet": (
            config([policy(timestamp={"field": "/t", "unit": "s", "max_age": "1h"})]),
            r"sluice\.yaml:\d+:\d+: ", ["not supported yet"]),
        "a secret that is not set": (config([policy()], instance="${env:SLUICE_NOT_SET_ANYWHERE}"),
                                     r"sluice\.yaml:\d+:\d+: ", ["SLUICE_NOT_SET_ANYWHERE"]),
        "no YAML": ("sinks: {\n", r"sluice\.yaml:\d+:\d+: ", []),
        "a level in braces without quotes": (
            config([]).replace("policies: []\n", "policies:\n  - id: p\n    topics: [in/{oven}]\n"
                               "    payload: json\n    on_violation: {reroute: {oven}}\n"),
            r"sluice\.yaml:\d+:\d+: ", ["quote"]),
    }

    @cases(BROKEN)
    def test_a_bad_configuration_stops_the_start_at_its_place(self, text, where, words):
        broker = self.broker(text, start=False)
        log = broker.refuses_start()
        lines = [line for line in log.splitlines() if "sluice: " in line]
        self.assertRegex("\n".join(lines), where)
        for word in words:
            self.assertIn(word, "\n".join(lines))
        self.assertFalse(broker.data_dir.exists(), "a start that was refused made files")

    def test_data_dir_open_to_others_is_refused_with_the_fix(self):
        broker = self.broker(config([policy()]), start=False)
        broker.data_dir.mkdir()
        broker.give(broker.data_dir)
        broker.data_dir.chmod(0o755)
        self.assertRegex(broker.refuses_start(), r"chmod (0?700|u=rwx,go=) \S*data")
        broker.data_dir.chmod(0o700)
        broker.start()
        broker.stop()

    @needs_root("gives data_dir to somebody else")
    def test_data_dir_of_somebody_else_is_refused_with_the_fix(self):
        broker = self.broker(config([policy()]), start=False)
        broker.data_dir.mkdir(mode=0o700)
        os.chown(broker.data_dir, broker.uid + 1, broker.gid)
        log = broker.refuses_start()
        self.assertIn("chown", log)
        self.assertIn(str(broker.data_dir), log)

    @unittest.skipIf(places.broker_user()[1] == 0, "the broker runs as root: nothing is closed to it")
    def test_data_dir_that_cannot_be_made_is_refused_by_name(self):
        broker = self.broker(config([policy()], data_dir="@HOME@/closed/data"), start=False)
        (broker.home / "closed").mkdir(mode=0o500)
        broker.give(broker.home / "closed")
        self.assertIn("closed", broker.refuses_start())

    def test_data_dir_whose_parent_is_missing_is_refused_with_the_fix(self):
        broker = self.broker(config([policy()], data_dir="@HOME@/not mounted/data"), start=False)
        self.assertRegex(broker.refuses_start(),
                         r"its parent is missing\).*: install -d -o \S+ -m 700 \S*/not mounted/data")
        self.assertFalse((broker.home / "not mounted").exists())

    @needs_root("starts a broker as root that stays root")
    def test_a_broker_that_stays_root_works_as_well(self):
        broker = self.broker(config([policy()]), user=("root", 0, 0))
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        checks.counted(self.finish(broker), accepted=1)
        self.assertEqual(broker.data_dir.stat().st_uid, 0)
        self.assertEqual(len(checks.lake(self.lake(broker))), 1)

    def test_two_brokers_on_one_data_dir(self):
        first = self.broker(config([policy()]), "first")
        second = self.broker(config([policy()], data_dir=str(first.data_dir)), "second", start=False)
        self.assertIn(str(first.data_dir), second.refuses_start())
        with first.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        checks.counted(self.finish(first), accepted=1)
        second.start()
        second.stop()

    def test_below_one_listener_with_per_listener_settings_it_works_without_ticks(self):
        broker = self.broker(config([policy(on_violation={"reroute": "q/x"})]), per_listener=True)
        with broker.client() as publisher, broker.client(version=5) as subscriber:
            subscriber.subscribe("#")
            publisher.publish("in/oven", BAD, 1)
            self.assertEqual(subscriber.message().topic, "q/x")
            publisher.publish("in/oven", GOOD, 1)
            broker.status_when(lambda s: s["sinks"]["lake"]["delivered"] == 1, "delivered")
        self.assertLess(broker.stop(), 5)
        checks.counted(broker.status(), rerouted=1, accepted=1)

    def test_a_plugin_line_before_the_listeners_sees_nothing_and_breaks_nothing(self):
        broker = self.broker(config([policy(on_violation={"drop": True})]), per_listener=True,
                             plugin_first=True)
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        self.assertLess(broker.stop(), 5)


class Stop(BrokerTest):
    def test_a_clean_stop_delivers_everything_within_five_seconds(self):
        broker = self.broker(config([policy()]))
        flood = mqtt.Flood(broker.port, lambda n: ("in/oven", b'{"value":1,"n":%d}' % n))
        flood.run(count=50_000)
        self.assertLess(broker.stop(), 5)
        checks.counted(broker.status(), accepted=50_000)
        sink = broker.status()["sinks"]["lake"]
        self.assertEqual((sink["delivered"], sink["spooled"], sink["discarded"]), (50_000, 0, 0))
        checks.nothing_open(self.lake(broker))
        self.assertEqual(len(checks.lake(self.lake(broker))), 50_000)
        checks.spool_verify(broker.data_dir)

    def test_a_sink_that_hangs_does_not_hold_up_the_stop(self):
        flag = self.folder / "hang"
        flag.touch()
        broker = self.broker(config([policy()]), preload=[self.shim("hang")],
                             env={"HANG_WHILE": str(flag)})
        with broker.client() as publisher:
            for n in range(20):
                publisher.publish("in/oven", b'{"value":1,"n":%d}' % n, 1)
        start = time.monotonic()
        broker.stop()
        self.assertLess(time.monotonic() - start, 7)
        dumped = checks.spool_dump(broker.data_dir)
        self.assertEqual([record["payload"]["n"] for record in dumped], list(range(20)))
        checks.validate("record.schema.json", dumped, self.folder / "json")
        flag.unlink()
        broker.start()
        broker.status_when(lambda status: status["sinks"]["lake"]["delivered"] == 20, "20 delivered")
        broker.stop()
        self.assertEqual([record["payload"]["n"] for record in checks.lake(self.lake(broker))],
                         list(range(20)))

    def test_what_was_spooled_is_delivered_by_the_next_start(self):
        broker = self.broker(config([policy()], {"lake": {"type": "file", "path": "@HOME@/lake"}}),
                             start=False)
        blocker = self.lake(broker)
        blocker.write_text("a file where the folder should be")
        broker.give(blocker)
        broker.start()
        with broker.client() as publisher:
            for n in range(10):
                publisher.publish("in/oven", b'{"value":1,"n":%d}' % n, 1)
        status = broker.status_when(
            lambda s: s["sinks"]["lake"]["last_error"] and s["sinks"]["lake"]["routed"] == 10,
            "the sink says what is wrong")
        self.assertIn(status["sinks"]["lake"]["state"], ("paused", "disconnected"))
        status = self.finish(broker)
        checks.counted(status, accepted=10)
        sink = status["sinks"]["lake"]
        self.assertEqual((sink["spooled"], sink["delivered"], sink["discarded"]), (10, 0, 0))
        self.assertEqual(sink["state"], "stopped")
        self.assertIn(str(blocker), sink["last_error"])  # why they wait, with the broker gone
        blocker.unlink()
        broker.start()
        status = broker.status_when(lambda s: s["sinks"]["lake"]["delivered"] == 10, "10 delivered")
        self.assertEqual(status["sinks"]["lake"]["spooled_at_start"], 10)
        broker.stop()
        self.assertEqual([r["payload"]["n"] for r in checks.lake(self.lake(broker))], list(range(10)))

    def test_fifty_starts_and_stops(self):
        broker = self.broker(config([policy()]))
        for n in range(50):
            with broker.client() as publisher:
                publisher.publish("in/oven", b'{"value":1,"n":%d}' % n, 1)
            broker.stop()
            broker.start()
        broker.stop()
        self.assertEqual([r["payload"]["n"] for r in checks.lake(self.lake(broker))], list(range(50)))

    def test_sigterm_while_a_reload_is_under_way(self):
        broker = self.broker(config([policy()]))
        for _ in range(10):
            broker.hup()
            self.assertLess(broker.stop(), 5)
            broker.start()


class Program(BrokerTest):
    """The command line beside a running broker."""

    def test_status_and_spool_only_look(self):
        broker = self.broker(config([policy()]))
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        wait_until(lambda: (broker.status() or {}).get("messages", {}).get("accepted") == 1, "accepted")
        status = checks.run(["status", broker.data_dir])
        self.assertEqual((status.returncode, bool(re.search(r"accepted", status.stdout))), (0, True))
        listing = checks.run(["spool", broker.data_dir, "list"])
        self.assertEqual(listing.returncode, 0, listing.stderr)
        self.assertIn("lake", listing.stdout)
        checks.spool_verify(broker.data_dir)
        self.assertNotEqual(checks.run(["spool", broker.data_dir, "forget", "lake"]).returncode, 0)
        checks.counted(self.finish(broker), accepted=1)

    @needs_root("works as root on another user's folder")
    def test_root_forgets_a_sink_and_the_spool_stays_its_owners(self):
        old = {"type": "file", "path": "/proc/nothing-can-be-made-here"}
        broker = self.broker(config([policy(to=["old"])], {"old": old}))
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        broker.stop()
        broker.configure(config([policy()]))
        broker.start()
        broker.stop()
        result = checks.run(["spool", broker.data_dir, "forget", "old"])
        self.assertEqual((result.returncode, result.stdout),
                         (0, "old: forgotten, with 1 records that waited for it\n"), result.stderr)
        for path in [broker.data_dir, *broker.data_dir.rglob("*")]:
            self.assertEqual(path.stat().st_uid, broker.uid, path)
        broker.start()
        with broker.client() as publisher:
            publisher.publish("in/oven", GOOD, 1)
        broker.status_when(lambda s: s["sinks"]["lake"]["delivered"] == 1, "1 delivered")
        broker.stop()
