#!/usr/bin/env python3
"""Runs the cases of the command line: tests/cases/run.py SLUICE [NAME…]

  config/<case>/  config.yaml and what it names
                  expect: `exit N`, then every line that `sluice check config.yaml` prints to stderr.
                  `check --json` must tell the same.
  cli/<case>/     cmd: arguments as a shell would read them; lines that follow are further runs; `terminal: ` in
                  front: stdout is one
                  stdin: what the runs read (optional)
                  expect: for each run `exit N`, then its stdout. A line that is JSON is compared by
                  value, numbers digit by digit; "*" stands for any text, and a line that ends in * for
                  any that begins like it. `stderr: …` lines, when there
                  are any, are all of its stderr.

A case is run in its own folder. With --bless the expect files are written instead of compared: read
the difference before you keep it.
"""
import json
import os
import pathlib
import pty
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TERMINAL = "terminal: "


def run(sluice, arguments, folder, stdin=b""):
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run([sluice, *arguments], cwd=folder, input=stdin, capture_output=True,
                          timeout=60, env=environment, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def run_on_a_terminal(sluice, arguments, folder):
    """The same with a terminal as stdout."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sluice, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.PIPE) as process:
        os.close(theirs)
        out = b""
        try:
            while more := os.read(ours, 65536):
                out += more
        except OSError:  # Linux says so when the last writer has gone
            pass
        os.close(ours)
        err = process.stderr.read()
    return process.returncode, out.decode().replace("\r\n", "\n"), err.decode()


def exact(text):
    """JSON with numbers as their digits, so that 1.0 is not 1 and nothing is rounded."""
    return json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=no_twins)


def no_twins(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def same(expected, actual):
    if expected == "*":
        return isinstance(actual, str)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(expected[k], actual[k]) for k in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    return type(expected) is type(actual) and expected == actual


def same_line(expected, actual):
    if expected.startswith("{") and actual.startswith("{"):
        return same(exact(expected), exact(actual))
    if expected.endswith("*"):
        return actual.startswith(expected[:-1])
    return expected == actual


def json_tells_the_same(sluice, folder, status, lines):
    """What `check --json` says must be what the lines say."""
    code, out, _ = run(sluice, ["check", "config.yaml", "--json"], folder)
    answer = exact(out)
    told = []
    for severity, mark in (("errors", ""), ("warnings", "warning: ")):
        for problem in answer.get(severity, []):
            place = problem["file"]
            if problem["line"] != "0":
                place += f":{problem['line']}:{problem['column']}"
            place += ": " if place else ""
            pointer = problem["pointer"] + ": " if problem["pointer"] else ""
            told.append(place + pointer + mark + problem["message"])
    kept = [line for line in lines if not line.startswith("and ")]
    if code != status or answer["ok"] != (status == 0) or sorted(told) != sorted(kept):
        return f"--json tells something else: exit {code}, {json.dumps(told, indent=1)}"
    return None


def run_config(sluice, folder, bless):
    status, _, err = run(sluice, ["check", "config.yaml"], folder)
    lines = err.splitlines()
    actual = f"exit {status}\n" + "".join(line + "\n" for line in lines)
    expect = folder / "expect"
    if bless:
        expect.write_text(actual)
    if expect.read_text() != actual:
        return f"--- expected\n{expect.read_text()}--- actual\n{actual}"
    return json_tells_the_same(sluice, folder, status, lines)


def run_cli(sluice, folder, bless):
    stdin = (folder / "stdin").read_bytes() if (folder / "stdin").exists() else b""
    expect = folder / "expect"
    wants_stderr = not expect.exists() or "\nstderr: " in expect.read_text()
    actual = []
    for line in (folder / "cmd").read_text().splitlines():
        if line.startswith(TERMINAL):
            status, out, err = run_on_a_terminal(sluice, shlex.split(line[len(TERMINAL):]), folder)
        else:
            status, out, err = run(sluice, shlex.split(line), folder, stdin)
        actual.append(f"exit {status}")
        actual += out.splitlines()
        if wants_stderr:
            actual += ["stderr: " + line for line in err.splitlines()]
    if bless:
        expect.write_text("\n".join(actual) + "\n")
    expected = expect.read_text().splitlines()
    if len(expected) != len(actual) or not all(map(same_line, expected, actual)):
        return "--- expected\n" + "\n".join(expected) + "\n--- actual\n" + "\n".join(actual)
    return None


def main():
    arguments = [a for a in sys.argv[1:] if a != "--bless"]
    bless = "--bless" in sys.argv
    if not arguments:
        sys.exit("usage: run.py SLUICE [NAME…] [--bless]")
    sluice, names = str(pathlib.Path(arguments[0]).resolve()), arguments[1:]
    if not pathlib.Path(sluice).is_file():
        sys.exit(f"{sluice}: is no program")
    passed = failed = 0
    for suite, one in (("config", run_config), ("cli", run_cli)):
        for folder in sorted(p for p in (HERE / suite).iterdir() if p.is_dir()):
            if names and folder.name not in names:
                continue
            try:
                wrong = one(sluice, folder, bless)
            except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as reason:
                wrong = repr(reason)
            passed, failed = passed + (wrong is None), failed + (wrong is not None)
            print(f"{suite}/{folder.name}: {'ok' if wrong is None else 'FAILED'}")
            if wrong is not None:
                print(wrong)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
