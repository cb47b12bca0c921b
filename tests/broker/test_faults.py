"""System calls that fail under a running broker (strace's fault injection): nothing crashes, and what was
acknowledged is in the files in the end.

The faults begin when the broker runs, and hit every thread of it, the spool's writer and the file sink
alike. When they are over the broker must catch up, without a restart and with one.
"""

import contextlib
import shutil
import signal
import subprocess
import unittest

from broker import wait_until
from harness import alone, cases, config, policy
from pouring import Ledger, PouringTest


def injection_works():
    """Tracing may be forbidden where this runs."""
    if not shutil.which("strace"):
        return False
    with subprocess.Popen(["sleep", "20"]) as sleeper:
        probe = subprocess.run(["timeout", "-s", "INT", "0.2", "strace", "-p", str(sleeper.pid)],
                               capture_output=True, check=False)
        sleeper.kill()
    return b"attached" in probe.stderr


# strace's words: when=3 the third call, when=3+10 every tenth from the third on.
FAULTS = {
    "the third fdatasync: EIO": "fdatasync:error=EIO:when=3",
    "every tenth fdatasync: EIO": "fdatasync:error=EIO:when=3+10",
    "every third fdatasync: ENOSPC": "fdatasync:error=ENOSPC:when=2+3",
    "the fifth pwrite: EIO": "pwrite64:error=EIO:when=5",
    "every seventh pwrite: ENOSPC": "pwrite64:error=ENOSPC:when=7+7",
    "every fifth pwrite: EINTR": "pwrite64:error=EINTR:when=5+5",
    "every fourth rename: EIO": "renameat,rename,renameat2:error=EIO:when=2+4",
    "every third openat: EMFILE": "openat:error=EMFILE:when=1+3",
    "every fstatfs: EIO": "fstatfs:error=EIO:when=1+",
    "every other fsync: EIO": "fsync:error=EIO:when=1+2",
    "every fdatasync: EIO": "fdatasync:error=EIO:when=1+",
    "every pwrite: ENOSPC": "pwrite64:error=ENOSPC:when=1+",
}


@unittest.skipUnless(injection_works(), "strace is not here, or may not trace")
class Faults(PouringTest):
    @contextlib.contextmanager
    def injected(self, broker, fault):
        """Inside, system calls of the broker fail as `fault` says."""
        trace, said = self.folder / "trace", self.folder / "strace"
        with open(said, "wb") as err:
            strace = subprocess.Popen(
                ["strace", "-f", "-o", str(trace), "-e", f"trace={fault.split(':')[0]}",
                 "-e", f"inject={fault}", "-p", str(broker.pid)], stderr=err)
        try:
            wait_until(lambda: "attached" in said.read_text(), "strace is attached")
            yield trace
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait(30)

    @alone
    @cases(FAULTS)
    def test_what_was_acknowledged_survives(self, fault):
        broker = self.broker(config([policy()], {"lake": {
            "type": "file", "path": "@HOME@/lake", "rotate": {"size": "256KiB"}}}))
        ledger = Ledger()
        self.pour(broker, ledger, 1000)
        with self.injected(broker, fault) as trace:
            self.pour(broker, ledger, 10_000, pace=10_000)
            self.assertTrue(broker.running())
            wait_until(lambda: "INJECTED" in trace.read_text(), "the fault happens")
        self.pour(broker, ledger, 1000)
        self.delivered(broker)
        broker.kill()
        broker.start()
        self.check_output(broker, ledger)
