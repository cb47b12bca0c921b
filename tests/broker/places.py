"""Where things are, and how the broker under test is run. All of it may be set from outside:

    SLUICE_BUILD      folder with mosquitto_sluice.so and sluice        (build/release, else build/dev)
    SLUICE_ASAN       1: the plugin was built with AddressSanitizer; preload its runtime
    SLUICE_MOSQUITTO  the broker                                        (mosquitto on PATH or /usr/sbin)
    SLUICE_KILLS      kill -9 this many times in the crash tests        (50 plain, 15 under ASan)
    SLUICE_SEED       seed of everything random; printed by the runner
"""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
ASAN = os.environ.get("SLUICE_ASAN", "") == "1"
IS_ROOT = os.geteuid() == 0
KILLS = int(os.environ.get("SLUICE_KILLS", "15" if ASAN else "50"))
SEED = int(os.environ.get("SLUICE_SEED", "1"))


def _build():
    if os.environ.get("SLUICE_BUILD"):
        return Path(os.environ["SLUICE_BUILD"]).resolve()
    for name in ("release", "dev"):
        if (ROOT / "build" / name / "mosquitto_sluice.so").exists():
            return ROOT / "build" / name
    return ROOT / "build" / "dev"


BUILD = _build()
PLUGIN = BUILD / "mosquitto_sluice.so"


def sluice():
    """The command line program; it lives beside the plugin."""
    return BUILD / "sluice"


def mosquitto():
    found = os.environ.get("SLUICE_MOSQUITTO") or shutil.which(
        "mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise RuntimeError("no mosquitto here: tests/setup.sh test installs it")
    return found


def broker_user():
    """Whom a broker started here runs as: (name, uid, gid). As root Mosquitto changes to `mosquitto`
    before it loads plugins, and so do the tests; under ASan it stays root, because LeakSanitizer
    cannot look into a process that changed its user."""
    if IS_ROOT and not ASAN:
        try:
            entry = pwd.getpwnam("mosquitto")
            return entry.pw_name, entry.pw_uid, entry.pw_gid
        except KeyError:
            pass
    entry = pwd.getpwuid(os.geteuid())
    return entry.pw_name, entry.pw_uid, entry.pw_gid


def asan_runtime():
    out = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                         check=True)
    return os.path.realpath(out.stdout.strip())


def build_shim(source, target):
    """tests/broker/shims/<source>.c as a library to preload."""
    subprocess.run(["gcc", "-O1", "-fPIC", "-shared", "-D_GNU_SOURCE", "-o", str(target),
                    str(TESTS / "broker" / "shims" / f"{source}.c"), "-ldl"], check=True)
    target.chmod(0o755)
    return target
