#!/usr/bin/env python3
"""The simulator of examples/factory, seen from outside: `ok NAME`, `FAIL NAME` and why.

    run.py [--build DIR]

First without a broker (the stream is the same for a seed, and each incident is in it), then against a
plain Mosquitto (books, percentiles, pace, restarts), then against one with Sluice and the factory's own
configuration, which must find exactly the messages that the factory spoilt.
"""

import argparse
import collections
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "broker"))
OPTIONS = argparse.ArgumentParser()
OPTIONS.add_argument("--build", default=str(ROOT / "build" / "release"))
BUILD = Path(OPTIONS.parse_args().build).resolve()
os.environ["SLUICE_BUILD"] = str(BUILD)
import checks  # pylint: disable=wrong-import-position  # both read SLUICE_BUILD
import weighings  # pylint: disable=wrong-import-position
from broker import Broker, wait_until  # pylint: disable=wrong-import-position

FACTORY = BUILD / "examples" / "factory" / "factory"
HARMLESS = {"right", "free text, judged by nobody", "high, but within limits"}
AGAIN = "sent again by a gateway"
PLAY = 2000


def factory(*arguments, **options):
    return subprocess.run([str(FACTORY), "--quiet", *map(str, arguments)], capture_output=True,
                          text=True, timeout=120, check=False, **options)


def stream(*arguments):
    """[(kind, gateway, topic, payload)]"""
    done = factory("--print", *arguments)
    assert done.returncode == 0, done.stderr
    return [tuple(line.split("\t", 3)) for line in done.stdout.split("\n") if line]


def books(done):
    """The last line as a dictionary of numbers; it must balance, and its percentiles rise."""
    line = done.stdout.strip().splitlines()[-1]
    assert line.startswith("factory sent="), done.stdout + done.stderr
    numbers = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", line)}
    assert numbers["sent"] == sum(numbers[key] for key in
                                  ("acknowledged", "denied", "lost", "unsettled")), line
    marks = [numbers[f"{mark}_us"] for mark in ("p50", "p90", "p99", "p999", "max")
             if f"{mark}_us" in numbers]
    assert marks == sorted(marks), line
    return numbers


def kinds(done):
    """{kind: (sent, acknowledged, denied)} of the table, QoS 1 and 2."""
    rows = re.findall(r"^  (.+?) +(\d+) +(\d+) +(\d+)$", done.stdout, re.M)
    return {name: tuple(map(int, numbers)) for name, *numbers in rows}


# ---- the stream --------------------------------------------------------------------------------------------


def test_help_and_wrong_options(_):
    done = factory("--help")
    assert done.returncode == 0 and "--rate" in done.stdout
    for wrong in (["--bogus", "1"], ["--qos", "3"], ["--clients", "0"], ["--clients", "65"], ["--rate"],
                  ["--rate", "-1"], ["--rate", "1x"], ["--port", "0"], ["--password-file", "/nowhere"],
                  ["17"], ["--only", "lift"], ["--schema-id", "-1"], ["--schema-id", str(2**31)]):
        done = factory(*wrong)
        assert done.returncode == 2 and done.stderr.startswith("factory: "), (wrong, done)
        assert not done.stdout, (wrong, done)


def test_the_seed_decides_what_is_said(_):
    one = stream("--messages", 3000, "--seed", 7)
    assert len(one) == 3000
    assert one == stream("--messages", 3000, "--seed", 7)
    other = stream("--messages", 3000, "--seed", 8)
    assert sum(a == b for a, b in zip(one, other)) < 300


def test_every_kind_of_trouble_occurs(_):
    for seed in range(1, 6):
        said = collections.Counter(kind for kind, *_ in stream("--messages", 4 * PLAY, "--seed", seed))
        assert len(said) == 16, (seed, said)
        assert said["right"] > sum(said.values()) * 0.7, (seed, said)


def test_without_trouble_all_is_right(_):
    said = collections.Counter(kind for kind, *_ in stream("--messages", 20000, "--no-trouble"))
    assert set(said) == {"right", "free text, judged by nobody"}, said


def celsius(said):
    return [float(re.search(r'"celsius":([\d.]+)', payload)[1])
            for kind, _, topic, payload in said
            if topic == "factory/line1/oven/1/temperature" and kind != "JSON cut off"]


def test_an_oven_overheats_and_cools_down(_):
    said = stream("--messages", PLAY, "--seed", 3)
    before, hot, after = said[:300], said[550:700], said[900:1300]
    middle = lambda values: sorted(values)[len(values) // 2]
    assert middle(celsius(before)) < 230 < 270 < middle(celsius(hot)), (celsius(before), celsius(hot))
    assert middle(celsius(after)) < 230, celsius(after)


def test_a_process_has_no_jumps(_):
    """Readings of one zone follow one another: most steps are a burner's, not those of a die."""
    said = stream("--messages", 20000, "--no-trouble")
    zone = [float(m[1]) for _, _, topic, payload in said
            if topic == "factory/line1/oven/1/temperature"
            and (m := re.search(r'"zone":1,"celsius":([\d.]+)', payload))]
    steps = [abs(b - a) for a, b in zip(zone, zone[1:])]
    assert max(zone) - min(zone) > 6, "it stands still"
    assert max(steps) < 5, max(steps)


def test_a_sensor_sends_rubbish_for_a_while(_):
    said = stream("--messages", PLAY, "--seed", 4)
    humidity = [payload for _, _, topic, payload in said[1001:1299]
                if topic == "factory/line2/oven/1/humidity"]
    assert len(humidity) > 3 and set(humidity) == {"n/a"}, humidity


def test_a_clock_is_wrong_for_a_while(_):
    said = stream("--messages", PLAY, "--seed", 5)
    wrong = [payload for kind, _, _, payload in said if kind == "time stamp of 1970"]
    assert len(wrong) > 3
    assert all(int(re.search(r'"ts":(\d+)', payload)[1]) < 10**9 for payload in wrong)


def test_a_gateway_sends_its_last_messages_again(_):
    said = stream("--messages", PLAY, "--clients", 3)
    again = [at for at, row in enumerate(said) if row[0] == AGAIN]
    assert again == list(range(1501, 1521)), again
    gateway = said[1501][1]
    before = [row[1:] for row in said[:1501] if row[1] == gateway][-20:]
    assert [row[1:] for row in said[1501:1521]] == before


def test_a_machine_speaks_through_one_gateway(_):
    said = stream("--messages", 5000, "--clients", 5)
    ways = collections.defaultdict(set)
    for _, gateway, topic, _ in said:
        ways[topic].add(gateway)
    assert all(len(gateways) == 1 for gateways in ways.values()), ways
    assert len({row[1] for row in said}) == 5


def test_only_machines_that_were_asked_for_speak(_):
    said = stream("--messages", 500, "--only", "oven")
    assert {topic.split("/")[2] for _, _, topic, _ in said} == {"oven"}
    assert {topic.split("/")[4] for _, _, topic, _ in said} == {"temperature", "humidity"}


# ---- Avro --------------------------------------------------------------------------------------------------

SINGLE, BY_ID = (), ("--schema-id", 77)
FRAMINGS = {SINGLE: "single_object", BY_ID: "confluent"}
# `sluice validate` takes any id.
CODES = {"Avro cut off": "avro.truncated", "Avro with an unknown symbol": "avro.enum",
         "Avro of an unknown schema": "avro.unknown_schema_id"}


def weighed(*arguments):
    """{kind: [payload in hex]}"""
    said = collections.defaultdict(list)
    for kind, _, topic, payload in stream("--only", "checkweigher", *arguments):
        assert re.fullmatch("factory/line[12]/checkweigher/1/weighing", topic), topic
        said[kind].append(payload)
    return said


def codes(folder, framing, payloads):
    """What `sluice validate` finds in each; None: nothing."""
    folder.mkdir()
    for n, payload in enumerate(payloads):
        (folder / str(n)).write_bytes(bytes.fromhex(payload))
    done = subprocess.run([BUILD / "sluice", "validate", "--json", "--framing", framing, weighings.SCHEMA,
                           *(folder / str(n) for n in range(len(payloads)))],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    files = json.loads(done.stdout)["files"]
    return [file["violations"][0]["code"] if file["violations"] else None for file in files]


def test_weighings_are_what_their_schema_says(folder):
    for head, framing in FRAMINGS.items():
        said = weighed("--messages", PLAY, *head)
        assert set(CODES) | {"right", "out of limits", AGAIN} == set(said), set(said)
        for kind, payloads in said.items():
            if kind == AGAIN:
                continue  # whatever it was the first time
            found = codes(folder / f"{framing} {kind}", framing, payloads)
            wanted = CODES.get(kind) if head == SINGLE or "schema" not in kind else None
            assert set(found) == {wanted}, (framing, kind, collections.Counter(found))


def test_weighings_say_what_was_weighed(_):
    for head in FRAMINGS:
        said = weighed("--messages", PLAY, *head)
        for kind, lightest, heaviest in (("right", 195, 211), ("out of limits", 135, 151)):
            for name, fields in weighings.read(said[kind]):
                assert name == (head[1] if head else "single_object"), name
                assert lightest < float(fields["grams"]) < heaviest, (kind, fields)
                assert re.fullmatch("L26-[0-9]{4}-[A-C]", fields["lot"]), fields
                assert 590 < fields["belt_mm_s"] < 610 and (fields["metal"] or 0.4) < 0.8, fields
        rights = [fields for _, fields in weighings.read(said["right"])]
        assert {fields["verdict"] for fields in rights} == {"GOOD", "LIGHT", "HEAVY"}, rights[:9]
        assert {fields["metal"] is None for fields in rights} == {True, False}, "line 2 alone has no detector"
        strangers = {payload[:20] if head == SINGLE else payload[:10]
                     for payload in said["Avro of an unknown schema"]}
        assert len(strangers) == 1 and strangers != {said["right"][0][:len(next(iter(strangers)))]}, strangers


# ---- a plain broker ----------------------------------------------------------------------------------------


def plain(folder):
    return Broker(folder / "plain", None)


def subscribed(broker, path, topic="factory/#", payload="%p"):
    """mosquitto_sub into a file; returns when the broker knows of it. At QoS 1: it may not miss one."""
    out = open(path, "wb")
    client = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-V", "5", "-q", "1",
                               "-t", topic, "-t", "ready/#", "-F", f"%t\t{payload}"], stdout=out)
    def ready():
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-h", "127.0.0.1", "-t", "ready/x", "-m", "x"],
                       check=True)
        return b"ready/x" in Path(path).read_bytes()
    wait_until(ready, "the subscriber is there", every=0.1)
    return client


def heard(path):
    return [line for line in Path(path).read_bytes().split(b"\n") if line.startswith(b"factory/")]


def test_what_is_sent_is_acknowledged_and_arrives(folder):
    broker = plain(folder).start()
    try:
        for qos in (0, 1, 2):
            for clients in (1, 4):
                path = folder / f"heard-{qos}-{clients}"
                listener = subscribed(broker, path)
                done = factory("--port", broker.port, "--messages", 5000, "--rate", 4000, "--qos", qos,
                               "--clients", clients)
                assert done.returncode == 0, done.stdout + done.stderr
                numbers = books(done)
                assert numbers["sent"] == numbers["acknowledged"] == 5000, numbers
                # The gateway of the play reconnected: 5,000 messages are two and a half plays.
                assert numbers["reconnects"] == 2, numbers
                assert ("p50_us" in numbers) == (qos != 0), numbers
                # At QoS 0 what was still in the old connection when the gateway comes back is gone:
                # the broker closes it unread.
                at_least = 5000 if qos else 4900
                try:
                    wait_until(lambda path=path: len(heard(path)) >= at_least, "all arrived")
                finally:
                    listener.terminate()
                    listener.wait()
                assert at_least <= len(heard(path)) <= 5000, (qos, clients, len(heard(path)))
                said = collections.Counter(row[2].encode() for row in
                                           stream("--messages", 5000, "--clients", clients))
                topics = collections.Counter(line.split(b"\t")[0] for line in heard(path))
                assert topics == said or (qos == 0 and topics <= said), (topics - said, said - topics)
    finally:
        broker.kill()


def test_the_percentiles_are_those_of_the_acknowledgements(folder):
    """A proxy that holds every byte of the broker back for 40 ms: no time can be shorter than that."""
    broker = plain(folder).start()
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=slow_proxy, args=(listener, broker.port), daemon=True).start()
    try:
        done = factory("--port", listener.getsockname()[1], "--messages", 200, "--rate", 400)
        numbers = books(done)
        assert done.returncode == 0 and numbers["p50_us"] >= 40000, done.stdout
        done = factory("--port", broker.port, "--messages", 200, "--rate", 400)
        assert books(done)["p50_us"] < numbers["p50_us"], done.stdout
    finally:
        listener.close()
        broker.kill()


def slow_proxy(listener, port):
    def carry(source, target, wait):
        try:
            while data := source.recv(65536):
                time.sleep(wait)
                target.sendall(data)
        except OSError:
            pass
        target.close()
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", port))
        for way in ((client, server, 0), (server, client, 0.04)):
            threading.Thread(target=carry, args=way, daemon=True).start()


def test_the_pace_is_kept(folder):
    broker = plain(folder).start()
    try:
        slow = books(factory("--port", broker.port, "--messages", 200, "--rate", 100, "--no-trouble"))
        fast = books(factory("--port", broker.port, "--messages", 4000, "--rate", 2000, "--no-trouble"))
        free = books(factory("--port", broker.port, "--messages", 20000, "--rate", 0, "--no-trouble"))
        # Never faster than asked, and twenty times as fast when asked for it; a noisy machine is slower.
        assert slow["rate"] < 106 and fast["rate"] < 2110, (slow, fast)
        assert fast["rate"] / slow["rate"] > 10 and free["rate"] > fast["rate"], (slow, fast, free)
    finally:
        broker.kill()


def test_seconds_end_a_run(folder):
    broker = plain(folder).start()
    try:
        done = factory("--port", broker.port, "--seconds", 1, "--rate", 500, "--no-trouble")
        numbers = books(done)
        assert done.returncode == 0 and numbers["seconds"] >= 1 and 0 < numbers["sent"] <= 600 * numbers["seconds"]
    finally:
        broker.kill()


def run_through_a_restart(broker, qos):
    process = subprocess.Popen([str(FACTORY), "--quiet", "--port", str(broker.port), "--qos", str(qos),
                                "--clients", "3", "--rate", "4000", "--messages", "12000", "--no-trouble"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(2):
        wait_until(lambda: "biscuit-factory-1" in broker.log(this_start=True), "it is connected")
        time.sleep(0.3)  # any moment will do: the later, the more is under way
        broker.kill()
        broker.start()
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess([], process.returncode, out, err)


def test_a_restarted_broker_costs_nothing_at_qos_1(folder):
    broker = plain(folder).start()
    try:
        done = run_through_a_restart(broker, 1)
        numbers = books(done)
        assert done.returncode == 0, done.stdout + done.stderr
        assert numbers["sent"] == numbers["acknowledged"] == 12000 and numbers["reconnects"] >= 3, numbers
    finally:
        broker.kill()


def test_a_restarted_broker_costs_what_is_said_at_qos_0(folder):
    broker = plain(folder).start()
    try:
        done = run_through_a_restart(broker, 0)
        numbers = books(done)
        assert numbers["sent"] == 12000 and numbers["unsettled"] == 0, numbers
        assert done.returncode == (0 if numbers["lost"] == 0 else 1), (done, numbers)
    finally:
        broker.kill()


def test_an_interrupted_run_waits_for_what_is_under_way(folder):
    broker = plain(folder).start()
    try:
        process = subprocess.Popen([str(FACTORY), "--quiet", "--port", str(broker.port), "--rate", "0"],
                                   stdout=subprocess.PIPE, text=True)
        wait_until(lambda: "biscuit-factory-1" in broker.log(), "it is connected")
        time.sleep(0.2)  # so that there is something to interrupt
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        numbers = books(subprocess.CompletedProcess([], 0, out, ""))
        assert process.returncode == 0 and numbers["sent"] == numbers["acknowledged"] > 0, out
    finally:
        broker.kill()


def test_without_a_broker_it_says_so(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = factory("--port", port)
    assert done.returncode == 2 and "no broker at 127.0.0.1" in done.stderr, done


def test_a_password_is_needed_and_given(folder):
    (folder / "users").touch()
    subprocess.run(["mosquitto_passwd", "-b", str(folder / "users"), "factory", "s p#ce"], check=True)
    broker = plain(folder)
    broker.give(folder / "users")
    broker.lines += ["allow_anonymous false", f"password_file {folder}/users"]
    (folder / "secret").write_text("s p#ce\n")
    try:
        broker.spawn()
        wait_until(lambda: "running" in broker.log(), "the broker runs")
        done = factory("--port", broker.port, "--messages", 50, "--rate", 0, "--username", "factory",
                       "--password-file", folder / "secret")
        assert done.returncode == 0 and books(done)["acknowledged"] == 50, done
    finally:
        broker.kill()


# ---- a broker with Sluice ----------------------------------------------------------------------------------


def judging(home, *changes):
    """A broker with the factory's own configuration; `changes`: [(words, other words)]."""
    text = (ROOT / "examples/factory/sluice.yaml").read_text()
    for words, other in (("data_dir: data", "data_dir: @HOME@/data"), *changes):
        assert text.count(words) == 1, words
        text = text.replace(words, other)
    broker = Broker(home, text)
    shutil.copytree(ROOT / "examples/factory/schemas", home / "schemas")
    for path in (home / "schemas", *(home / "schemas").iterdir()):
        path.chmod(0o755)
    return broker.start()


def test_sluice_finds_what_was_spoilt_and_nothing_else(folder):
    messages, seed = 2 * PLAY, 11
    home = folder / "sluice"
    broker = judging(home)
    try:
        done = factory("--port", broker.port, "--messages", messages, "--rate", 0, "--seed", seed,
                       "--clients", 2)
        assert done.returncode == 0, done.stdout + done.stderr
        broker.stop()
    finally:
        broker.kill()
    # What is sent again is judged as what it is; its kind is that of the original.
    first, expected = {}, collections.Counter()
    for kind, gateway, topic, payload in stream("--messages", messages, "--seed", seed, "--clients", 2):
        kind = first[gateway, topic, payload] if kind == AGAIN else kind
        first[gateway, topic, payload] = kind
        if kind == "free text, judged by nobody":
            expected["passed"] += 1
        elif kind == "heartbeat garbled":
            expected["dropped"] += 1
        else:
            expected["accepted" if kind in HARMLESS else "rerouted"] += 1
    status = broker.status()
    checks.counted(status, **expected)
    told = kinds(done)
    assert sum(row[2] for name, row in told.items() if name != "all") == expected["dropped"], told
    assert status["policies"]["ovens-tighter"]["would_reroute"] >= told["high, but within limits"][0]
    assert len(checks.lake(home / "lake")) == expected["accepted"]


def test_sluice_reads_weighings_as_another_reader_does(folder):
    """Of both heads: what a subscriber heard, read by python3-avro, is what the lake holds."""
    by_id = (("file: schemas/weighing.v1.avsc}", "file: schemas/weighing.v1.avsc, registry_id: 77}"),
             ("framing: single_object", "framing: confluent"))
    for head, changes in ((SINGLE, ()), (BY_ID, by_id)):
        home, path = folder / FRAMINGS[head], folder / f"heard {FRAMINGS[head]}"
        broker = judging(home, *changes)
        listener = subscribed(broker, path, payload="%x")
        try:
            done = factory("--port", broker.port, "--messages", PLAY, "--rate", 0, "--only", "checkweigher", *head)
            assert done.returncode == 0, done.stdout + done.stderr
            messages = broker.status_when(
                lambda s: s["messages"]["accepted"] + s["messages"]["rerouted"] >= PLAY, "all were judged")["messages"]
            wait_until(lambda: len(heard(path)) >= messages["accepted"], "all were heard")
            broker.stop()
        finally:
            listener.terminate()
            listener.wait()
            broker.kill()
        lake, told = checks.lake(home / "lake", exact=True), kinds(done)
        codes_found = broker.status()["policies"]["weighings"]["violations"]
        for kind, code in {**CODES, "out of limits": "limits.min"}.items():
            assert codes_found[code] >= told[kind][1] > 0, (kind, told, codes_found)
        assert len(lake) + sum(codes_found.values()) == PLAY, codes_found
        read = weighings.read([line.split(b"\t")[1].decode() for line in heard(path)])
        for (_, fields), record in zip(read, lake, strict=True):
            numbers = {key: type(fields[key] or 0)(record["payload"][key]) for key in ("at", "belt_mm_s")}
            metal = record["payload"]["metal"]
            stored = {**record["payload"], **numbers, "metal": metal and float(metal)}
            assert stored == fields, (stored, fields)


def main():
    if not FACTORY.exists():
        print(f"FAIL factory: {FACTORY} is not there; build it first")
        return 1
    outcome = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        folder = Path(tempfile.mkdtemp(prefix="sluice-factory-"))
        folder.chmod(0o755)
        title = "factory " + name.removeprefix("test_").replace("_", " ")
        started = time.monotonic()
        try:
            test(folder)
            print(f"ok {title} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception:  # pylint: disable=broad-except  # whatever it was, it is this test's failure
            outcome = 1
            print(f"FAIL {title}\n    " + traceback.format_exc().strip().replace("\n", "\n    "), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
