#!/usr/bin/env python3
"""What it costs to read and judge one payload; how that compares with others.

    tests/bench/validate/run.py [--build DIR] [--update]     instructions, the gated part
    tests/bench/validate/run.py [--build DIR] --peers        times beside the peers, in one run

Instructions. bench_validate judges all payloads under callgrind, once and three times; the difference is
what a payload costs. Nothing of it depends on the machine's load.

    gate.txt     the figure that was reached at 253 bytes; more than 5 % above it fails (--update writes a
                 new one). Likewise fails what costs more than 1.10 times as much with 5,000 declared
                 properties as with 12.

Times. Peers are installed from packages into a cache outside the tree ($XDG_CACHE_HOME/sluice-bench): ajv
by npm, jsonschema-rs (with serde_json) by cargo, RapidJSON from the system's rapidjson-dev. Each is a
process of its own that reads and judges the same payloads; they take turns, ROUNDS times, and a ratio is the
median of the rounds' ratios. Every payload holds in all of them. Only the ratios of one run mean anything.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import payloads

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import measure

ROOT = HERE.parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice-bench"
AJV = "ajv@8"

ROUNDS = 15
ROUND_NS = 40e6           # a turn takes about so long
GOAL = 5_300              # instructions at 253 bytes
ALLOWED = 1.05            # of the gate
MANY_ALLOWED = 1.10       # 5,000 declared properties to 12
COMPILE_ALLOWED = 150     # compiling the schema of 253, to yyjson's reading of its text
WANTED = {"253": 4, "8183": 2}  # times as fast as each peer
SIZES = ("61", "253", "1033", "8183")
CASES = (*SIZES, "5000")  # ajv cannot compile the last one


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--peers", action="store_true", help="times, beside the peers")
    parser.add_argument("--update", action="store_true", help="write gate.txt")
    return parser.parse_args()


# ── instructions ────────────────────────────────────────────────────────────────────────────────

def counted(program, folder, case, passes):
    return measure.instructions([program, folder, case, passes], folder / f"callgrind.{case}.{passes}")


def instructions(program, folder, case):
    return (counted(program, folder, case, 3) - counted(program, folder, case, 1)) / \
        (2 * payloads.PAYLOADS)


def gated(program, folder, update):
    """Lines of outcome."""
    figures = {case: instructions(program, folder, case) for case in CASES}
    print("    instructions a payload: " +
          ", ".join(f"{case} {figure:,.0f}" for case, figure in figures.items()))
    figure, many = round(figures["253"]), figures["5000"] / figures["253"]
    gate_file = HERE / "gate.txt"
    if update:
        gate_file.write_text(f"{figure}\n")
    gate = int(gate_file.read_text().split()[0])
    limit = min(gate * ALLOWED, GOAL * ALLOWED)
    yield figure <= limit, (f"validate: instructions at 253 bytes: {figure:,}, gate {gate:,} + 5 %, "
                            f"goal {GOAL:,}")
    yield many <= MANY_ALLOWED, (f"validate: instructions at 5,000 declared properties: {many:.3f} times "
                                 f"those at 12, allowed {MANY_ALLOWED:.2f}")


# ── times ───────────────────────────────────────────────────────────────────────────────────────

def install(name, *command, cwd, made):
    """Run the command unless what it makes is there; None when it cannot be had."""
    if not made.exists():
        cwd.mkdir(parents=True, exist_ok=True)
        print(f"    installing {name} …", flush=True)
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not made.exists():
            print("    " + "\n    ".join((done.stderr or done.stdout).strip().splitlines()[-15:]))
            return None
    return made


def have_ajv(folder):
    cwd = CACHE / "ajv"
    if shutil.which("npm") is None:
        return None
    made = install("ajv", "npm", "install", "--no-audit", "--no-fund", "--prefix", ".", AJV, cwd=cwd,
                   made=cwd / "node_modules/ajv")
    return made and Program("ajv", ["node", str(HERE / "peers/ajv.js"), str(folder)],
                            env={"NODE_PATH": str(cwd / "node_modules")})


def have_rapidjson(folder):
    source, cwd = HERE / "peers/rapidjson.cpp", CACHE / "rapidjson"
    made = cwd / "rapidjson"
    if made.exists() and made.stat().st_mtime < source.stat().st_mtime:
        made.unlink()
    made = install("RapidJSON", "g++", "-std=c++14", "-O3", "-DNDEBUG", "-o", "rapidjson", str(source),
                   cwd=cwd, made=made)
    return made and Program("RapidJSON", [str(made), str(folder)])


def have_jsonschema_rs(folder):
    cwd = CACHE / "jsonschema-rs"
    if shutil.which("cargo") is None:
        return None
    shutil.copytree(HERE / "peers/jsonschema-rs", cwd, dirs_exist_ok=True)
    made = install("jsonschema-rs", "cargo", "build", "--release", "--quiet", cwd=cwd,
                   made=cwd / "target/release/peer")
    return made and Program("jsonschema-rs", [str(made), str(folder)])


PEERS = {"ajv": have_ajv, "RapidJSON": have_rapidjson, "jsonschema-rs": have_jsonschema_rs}


class Program:
    """One that answers `CASE PASSES` with nanoseconds."""

    def __init__(self, name, command, env=None):
        self.name, self.passes = name, {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, **(env or {})})

    def ask(self, case, passes):
        self.process.stdin.write(f"{case} {passes}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended while it judged {case}")
        return float(answer)

    def warm_up(self, case):
        """Find out how many passes make a turn; the first ones also let compilers at run time finish."""
        passes = 1
        while (took := self.ask(case, passes)) < ROUND_NS / 2:
            passes = max(passes + 1, int(passes * min(ROUND_NS / max(took, 1), 100)))
        self.passes[case] = max(1, round(passes * ROUND_NS / took))

    def turn(self, case):
        return self.ask(case, self.passes[case]) / self.passes[case]

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def taking_turns(turns, rounds=ROUNDS):
    """(who, case) pairs → the times of each, round by round."""
    for who, case in turns:
        who.warm_up(case)
    times = {turn: [] for turn in turns}
    for _ in range(rounds):
        for who, case in turns:
            times[who, case].append(who.turn(case))
    return times


def a_payload(times):
    return f"{statistics.median(times) / payloads.PAYLOADS:9,.0f} ns"


def compared(ours, peers):
    """One line a case, then lines of outcome: each goal met or missed."""
    outcome = []
    for case in SIZES:
        times = taking_turns([(who, case) for who in (ours, *peers)])
        row = [f"    {case:>5}: Sluice {a_payload(times[ours, case])}"]
        for peer in peers:
            faster = measure.paired(times[peer, case], times[ours, case])
            row.append(f"{peer.name} {a_payload(times[peer, case])} ({faster:.2f})")
            if case in WANTED:
                outcome.append((faster >= WANTED[case],
                                f"validate: {case} bytes: {faster:.2f} times as fast as {peer.name}, "
                                f"goal {WANTED[case]}"))
        print(", ".join(row), flush=True)
    times = taking_turns([(ours, word) for word in ("compile", "yyjson")])
    compiling = measure.paired(times[ours, "compile"], times[ours, "yyjson"])
    outcome.append((compiling <= COMPILE_ALLOWED,
                    f"validate: compiling the schema of 12 properties: {compiling:.1f} times yyjson's "
                    f"reading of its text, allowed {COMPILE_ALLOWED}"))
    times = taking_turns([(ours, "5000"), (ours, "253")], rounds=4 * ROUNDS)
    many = measure.paired(times[ours, "5000"], times[ours, "253"])
    outcome.append((many <= MANY_ALLOWED, f"validate: time at 5,000 declared properties: {many:.3f} times "
                                          f"that at 12, allowed {MANY_ALLOWED:.2f}"))
    return outcome


def timed(program, folder):
    peers = []
    for name, have in PEERS.items():
        peer = have(folder)
        if peer is None:
            print(f"SKIP validate: beside {name}: it cannot be installed here")
        else:
            peers.append(peer)
    ours = Program("Sluice", [str(program), str(folder)])
    try:
        yield from compared(ours, peers)
    finally:
        for who in (ours, *peers):
            who.close()


def main():
    options = arguments()
    program = Path(options.build).resolve() / "tests/bench_validate"
    folder = Path(tempfile.mkdtemp(prefix="sluice-bench-"))
    good = True
    try:
        payloads.write(folder)
        if options.peers:
            outcomes = timed(program, folder)
        elif shutil.which("valgrind"):
            outcomes = gated(program, folder, options.update)
        else:
            print("SKIP validate: valgrind is not installed")
            return 0
        for fine, line in outcomes:
            print(f"{'ok' if fine else 'FAIL'} {line}", flush=True)
            good = good and fine
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
