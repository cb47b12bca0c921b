"""System calls that fail under a running broker (strace's fault injection): nothing crashes, and what was
acknowledged is in the files in the end.

The faults hit every thread of the broker, the spool's writer and the file sink alike. Afterwards the
broker is started once more without them, and must finish what is left.
"""

import os
import shutil
import signal
import subprocess
import unittest

import places
from harness import alone, cases, config, policy
from pouring import Ledger, PouringTest


def injection_works():
    """Tracing may be forbidden where this runs."""
    if not shutil.which("strace"):
        return False
    probe = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync",
                            "-e", "inject=fdatasync:error=EIO", "true"],
                           capture_output=True, check=False)
    return probe.returncode == 0


# strace's words: when=3 the third call, when=3+10 every tenth from the third on.
FAULTS = {
    "the third fdatasync: EIO": "fdatasync:error=EIO:when=3",
    "every tenth fdatasync: EIO": "fdatasync:error=EIO:when=3+10",
    "every third fdatasync: ENOSPC": "fdatasync:error=ENOSPC:when=2+3",
    "the fifth pwrite: EIO": "pwrite64:error=EIO:when=5",
    "every seventh pwrite: ENOSPC": "pwrite64:error=ENOSPC:when=7+7",
    "every fifth pwrite: EINTR": "pwrite64:error=EINTR:when=5+5",
    "every other fallocate: ENOSPC": "fallocate:error=ENOSPC:when=1+2",
    "every fourth rename: EIO": "renameat,rename,renameat2:error=EIO:when=2+4",
    "every fifth openat from the 200th on: EMFILE": "openat:error=EMFILE:when=200+5",
    "every third fstatfs: EIO": "fstatfs,statfs:error=EIO:when=1+3",
    "every other fsync: EIO": "fsync:error=EIO:when=1+2",
}


@unittest.skipUnless(injection_works(), "strace is not here, or may not trace")
@unittest.skipIf(places.ASAN, "LeakSanitizer cannot look into a process that is traced")
class Faults(PouringTest):
    @alone
    @cases(FAULTS)
    def test_what_was_acknowledged_survives(self, fault):
        calls = fault.split(":")[0]
        broker = self.broker(config([policy()], {"lake": {
            "type": "file", "path": "@HOME@/lake", "rotate": {"size": "256KiB"}}}), start=False)
        broker.wrap = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", str(self.folder / "trace"),
                       "-e", f"trace={calls}", "-e", f"inject={fault}"]
        broker.start()
        ledger = Ledger()
        self.pour(broker, ledger, 15_000, pace=15_000)
        self.assertTrue(broker.running(), broker.log())
        os.kill(broker.pid, signal.SIGTERM)
        broker.process.wait(60)
        self.assertIn("INJECTED", (self.folder / "trace").read_text(), "the fault never happened")
        broker.wrap = []
        broker.start()
        self.delivered(broker)
        self.check_output(broker, ledger)
