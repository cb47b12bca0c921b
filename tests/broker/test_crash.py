"""kill -9 again and again while messages pour in (pouring.py): what was acknowledged is in the files,
once, in order. The same while the file sink's own disk is full.
"""

import contextlib
import os
import random
import subprocess
import time
import unittest

import checks
import mqtt
import places
from harness import alone, config, needs_root, policy
from pouring import MIN_RATE, Ledger, PouringTest, message


class Crash(PouringTest):
    @alone
    def test_what_was_acknowledged_survives_every_kill(self):
        dice, ledger = random.Random(places.SEED), Ledger()
        broker = self.broker(config([policy()], {"lake": {
            "type": "file", "path": "@HOME@/lake", "rotate": {"size": "2MiB"}}}))
        for _ in range(places.KILLS):
            self.pour_and_kill(broker, ledger, dice.uniform(0.02, 0.25))
            broker.start()
        records = self.check_output(broker, ledger)
        print(f"    {places.KILLS} kills, {ledger.acked} acknowledged at {ledger.rate:.0f}/s, "
              f"{len(records)} in the files", flush=True)
        self.assertGreaterEqual(ledger.rate, MIN_RATE)

    @alone
    def test_sync_always_survives_kills_as_well(self):
        dice, ledger = random.Random(places.SEED), Ledger()
        broker = self.broker(config([policy()], spool={"sync": "always", "min_free": "1MiB"}))
        for _ in range(max(3, places.KILLS // 10)):
            self.pour_and_kill(broker, ledger, dice.uniform(0.1, 0.4))
            broker.start()
        self.check_output(broker, ledger)
        self.assertGreater(ledger.acked, 0)

    def test_sync_os_survives_kills_as_well(self):
        ledger = Ledger()
        broker = self.broker(config([policy()], spool={"sync": "os", "min_free": "1MiB"}))
        for _ in range(3):
            self.pour_and_kill(broker, ledger, 0.15)
            broker.start()
        self.check_output(broker, ledger)

    def test_a_kill_right_after_the_start_and_during_the_stop(self):
        ledger = Ledger()
        broker = self.broker(config([policy()]))
        for turn in range(6):
            self.pour_and_kill(broker, ledger, 0.05)
            broker.spawn()
            time.sleep(0.002 * turn)  # somewhere within the recovery, wherever that is
            broker.kill()
            broker.start()
            flood = mqtt.Flood(broker.port, message, ledger.next)
            flood.run(count=2000)
            ledger.add(flood)
            os.kill(broker.pid, 15)
            time.sleep(0.002 * turn)
            broker.kill()
            flood.close()
            broker.start()
        self.check_output(broker, ledger)

    def test_small_segments_of_compressed_files_survive_kills(self):
        ledger = Ledger()
        broker = self.broker(config([policy()], {"lake": {
            "type": "file", "path": "@HOME@/lake", "compress": "gzip", "rotate": {"size": "256KiB"}}}))
        for _ in range(5):
            self.pour_and_kill(broker, ledger, 0.2)
            broker.start()
        self.check_output(broker, ledger)


def can_mount():
    """Root alone does not tell: a container may forbid it."""
    if not places.IS_ROOT:
        return False
    probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                           capture_output=True, check=False)
    return probe.returncode == 0


class FullDisk(PouringTest):
    """The file sink's own disk is a small tmpfs that fills up, and is freed later."""

    @contextlib.contextmanager
    def small_disk(self, path, owner):
        path.mkdir(mode=0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "none", str(path)],
                       check=True)
        try:
            owner.give(path)
            yield path
        finally:
            for broker in self.brokers:
                broker.kill()
            subprocess.run(["umount", str(path)], check=True)

    @alone
    @needs_root("mounts a tmpfs")
    @unittest.skipUnless(can_mount(), "this machine does not let root mount a tmpfs")
    def test_a_full_disk_pauses_the_sink_and_loses_nothing(self):
        dice, ledger = random.Random(places.SEED), Ledger()
        broker = self.broker(config([policy()], {"lake": {
            "type": "file", "path": "@HOME@/disk/lake", "rotate": {"size": "1MiB"}}}), start=False)
        with self.small_disk(broker.home / "disk", broker) as disk:
            broker.start()
            self.pour_until_paused(broker, ledger)
            for _ in range(max(3, places.KILLS // 5)):
                self.pour_and_kill(broker, ledger, dice.uniform(0.02, 0.2))
                broker.start()
            status = broker.status_when(
                lambda s: s["pid"] == broker.pid and s["sinks"]["lake"]["state"] == "paused",
                "still paused", 60)
            checks.identities(status)
            self.assertEqual(status["sinks"]["lake"]["discarded"], 0)
            self.assertGreater(status["sinks"]["lake"]["spooled"], 0)
            self.assertTrue(status["sinks"]["lake"]["last_error"])
            subprocess.run(["mount", "-o", "remount,size=2g", str(disk)], check=True)
            self.delivered(broker)
            self.assertGreaterEqual(ledger.rate, MIN_RATE)
            self.check_output(broker, ledger)

    def pour_until_paused(self, broker, ledger):
        flood = mqtt.Flood(broker.port, message, ledger.next)
        state = lambda: (broker.status() or {}).get("sinks", {}).get("lake", {}).get("state")
        end = time.monotonic() + 60
        while state() != "paused":
            flood.run(count=500)
            time.sleep(0.02)
            self.assertLess(time.monotonic(), end, "the sink never paused")
        flood.close()
        ledger.add(flood)

    def lake(self, broker, name="lake"):
        return broker.home / "disk" / name
