#!/usr/bin/env python3
"""What reading and writing one Avro record costs, beside Avro C's value interface.

    tests/bench/avro/run.py [--build DIR] [--update]     instructions (gated), then ratios of times
    tests/bench/avro/run.py [--build DIR] --gate         instructions only

The record has 12 fields (../callback/reading.v1.avsc); RECORDS of them, no two alike. avro.c says what just
is measured: `read` is bytes to the proved value tree, `write` a parsed JSON tree to bytes, and Avro C does
the same with its reader, writer and value kept from record to record. Beside it stands the floor of
Avro C's writing, code for this one schema that believes what it gets.

Instructions. bench_avro runs under callgrind, one pass and many; the difference is what a record costs.
Nothing of it depends on the machine's load.

    gate.txt     the figures that were reached; more than 5 % above one fails (--update writes new ones)

Times. One process takes turns between ours and Avro C's, ROUNDS times; a ratio is the median of the rounds'
ratios, and only ratios mean anything. Each goal is met or missed: missing one fails.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))
import measure

SCHEMA = HERE.parent / "callback" / "reading.v1.avsc"

RECORDS = 512
PASSES = 40      # under callgrind, so that what preparing costs, which varies, does not show
ROUNDS = 31
ROUND_NS = 20e6  # a turn takes about so long
ALLOWED = 1.05   # of the gate
GOAL = 5         # times as fast as Avro C
CASES = {"read": "avro_c_read", "write": "avro_c_write"}
FLOOR = "avro_c_fill"  # of Avro C's writing: told, no goal


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--gate", action="store_true", help="instructions only")
    parser.add_argument("--update", action="store_true", help="write gate.txt")
    return parser.parse_args()


def number(dice, low, high, digits):
    return round(dice.uniform(low, high), dice.randint(0, digits))


def record(dice, n):
    return {
        "ts": 1767225600000 + n * 37, "seq": dice.randint(0, 10 ** dice.randint(1, 7)),
        "machine": f"{dice.choice(('press', 'oven', 'mill'))}-{dice.randint(0, 999):03}",
        "state": dice.choice(("stopped", "running", "fault")),
        "temperature": number(dice, 20, 350, 3), "pressure": number(dice, 0, 16, 3),
        "vibration": number(dice, 0, 1, 4), "speed": dice.randint(0, 6000),
        "good": dice.random() < 0.9, "unit": dice.choice("CFK"),
        "operator": dice.choice(("shift a", "shift b", "night shift", None)),
        "comment": "x" * dice.randint(0, 60),
    }


class Program:
    def __init__(self, build, folder):
        self.lines = folder / "records.lines"
        dice = random.Random(1)
        lines = [json.dumps(record(dice, n), separators=(",", ":")) for n in range(RECORDS)]
        assert len(set(lines)) == RECORDS
        self.lines.write_text("".join(line + "\n" for line in lines))
        self.folder = folder
        self.command = [str(build / "tests/bench_avro"), str(SCHEMA), str(self.lines)]
        self.process, self.passes = None, {}

    # ── instructions ────────────────────────────────────────────────────────────────────────────

    def counted(self, case, passes):
        return measure.instructions([*self.command, case, passes],
                                    self.folder / f"callgrind.{case}.{passes}")

    def instructions(self, case):
        return (self.counted(case, 1 + PASSES) - self.counted(case, 1)) / (PASSES * RECORDS)

    # ── times ───────────────────────────────────────────────────────────────────────────────────

    def ask(self, case, passes):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(f"{case} {passes}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"bench_avro ended during {case}")
        return float(answer)

    def turn(self, case):
        """Nanoseconds a record."""
        if case not in self.passes:
            self.passes[case] = max(1, round(ROUND_NS * 20 / max(1, self.ask(case, 20))))
        return self.ask(case, self.passes[case]) / self.passes[case] / RECORDS

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(60)


def gated(program, update):
    """Lines of outcome."""
    figures = {case: program.instructions(case) for case in CASES}
    for case, peer in (*CASES.items(), ("write", FLOOR)):
        theirs = program.instructions(peer)
        print(f"    {case}: {figures[case]:,.0f} instructions a record, {peer} {theirs:,.0f} "
              f"({theirs / figures[case]:.2f} times)")
    gate_file = HERE / "gate.txt"
    if update:
        gate_file.write_text("".join(f"{case} {round(figure)}\n" for case, figure in figures.items()))
    gates = dict(line.split() for line in gate_file.read_text().splitlines())
    for case, figure in figures.items():
        gate = int(gates[case])
        yield figure <= gate * ALLOWED, (f"avro: instructions to {case} a record of 12 fields: "
                                         f"{figure:,.0f}, gate {gate:,} + 5 %")


def timed(program):
    """Lines of outcome: each goal met or missed."""
    turns = [*CASES, *CASES.values(), FLOOR]
    for turn in turns:
        program.turn(turn)
    times = {turn: [] for turn in turns}
    for _ in range(ROUNDS):
        for turn in turns:
            times[turn].append(program.turn(turn))
    ratio = lambda peer, case: measure.paired(times[peer], times[case])
    print("    nanoseconds a record: " +
          ", ".join(f"{turn} {statistics.median(took):.0f}" for turn, took in times.items()))
    print(f"    write: {ratio(FLOOR, 'write'):.2f} times as fast as the floor of Avro C")
    for case, peer in CASES.items():
        yield ratio(peer, case) >= GOAL, (f"avro: {case}: {ratio(peer, case):.2f} times as fast as Avro C, "
                                          f"goal {GOAL}")


def main():
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="sluice-bench-"))
    program = Program(Path(options.build).resolve(), folder)
    good = True

    def tell(outcomes):
        nonlocal good
        for fine, line in outcomes:
            print(f"{'ok' if fine else 'FAIL'} {line}", flush=True)
            good = good and fine

    try:
        if shutil.which("valgrind"):
            tell(gated(program, options.update))
        else:
            print("SKIP avro: instructions: valgrind is not installed")
        if not options.gate:
            tell(timed(program))
    finally:
        program.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
