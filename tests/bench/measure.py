"""What the benches share: instructions of a program, ways that take turns, medians of ratios, processor time of
others.

A ratio is the first way's time by another's, round by round, and the median of the rounds: a slow minute of
the machine hits all ways of a round. `wall` is the clock's ratio. `cpu` is that of the processor time that
client and server spent together: it hardly knows of a busy machine, and where every core is busy it
is the ratio of the rates. `core` is that of the busier one of the two: where client and server have a core
each, and the client makes the next rows while the server stores these, it is the ratio of the rates.
"""

import os
import re
import statistics
import subprocess
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def instructions(command, out):
    """Of the whole program, as callgrind counts them into the file `out`."""
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *map(str, command)],
                   check=True, capture_output=True)
    return int(re.search(r"^(?:totals|summary): (\d+)", Path(out).read_text(encoding="utf-8"), re.M)[1])


def paired(times, base):
    """The median of the rounds' ratios of two lists of times."""
    return statistics.median(a / b for a, b in zip(times, base))


def _stat(pid):
    """Of /proc/PID/stat, from the third field on."""
    return (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()


def cpu_seconds(pid):
    """Of a process, the children it has, and those it had."""
    total, parents = 0, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents.setdefault(int(_stat(entry)[1]), []).append(int(entry))
            except OSError:
                pass  # it has ended
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        waiting += parents.get(one, [])
        try:
            total += sum(int(ticks) for ticks in _stat(one)[11:15])  # utime, stime, and the dead children's
        except OSError:
            pass
    return total / TICK


def threads(pid):
    """Processor time of each living thread of a process, by its name."""
    found = {}
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        name = (task / "comm").read_text(encoding="utf-8").strip()
        ticks = (task / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[11:13]
        found[name] = found.get(name, 0) + sum(map(int, ticks)) / TICK
    return found


def in_turns(ways, rounds, run):
    """[{way: run(way)}] of each round; one more goes before, as a warm-up."""
    ways, results = list(ways), []
    for turn in range(rounds + 1):
        first = turn % len(ways)
        results.append({way: run(way) for way in ways[first:] + ways[:first]})
    return results[1:]


def ratio(results, base, way, what):
    """Median over the rounds of base's `what` by that of the way."""
    return paired([result[base][what] for result in results], [result[way][what] for result in results])


def median(results, way, what):
    return statistics.median(result[way][what] for result in results)


def row(name, found, goal, detail, form="{:.2f}"):
    """A line of the table in RESULTS.md; `goal` None: it has none."""
    verdict = "–" if goal is None else "reached" if found >= goal else "missed"
    goal = "–" if goal is None else form.format(goal)
    print(f"| {name} | {form.format(found)} | {goal} | {verdict} | {detail} |", flush=True)
