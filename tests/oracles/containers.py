#!/usr/bin/env python3
"""Container files of a broker with Sluice, read by three readers that others wrote: Debian's python3-avro,
PyPI's fastavro and npm's avsc. All must see the same records in each codec, typed payloads included.
`ok NAME`, `FAIL NAME` and why, `SKIP NAME: reason`.

    containers.py --build DIR --tools DIR       DIR of tools: what tests/oracles/avro.sh installed
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FASTAVRO = """
import json, sys, fastavro
with open(sys.argv[1], "rb") as file:
    for thing in fastavro.reader(file):
        payload = thing.get("payload")
        print(json.dumps([thing["seq"], str(thing["id"]), thing["topic"], thing["kind"],
                          thing["payload_json"],
                          payload and [payload["machine"], payload["state"], payload["temp"]]]))
"""

AVSC = """
const avro = require('avsc');
const codecs = Object.assign({}, avro.streams.BlockDecoder.getDefaultCodecs());
codecs.zstandard = (block, done) => done(null, Buffer.from(require('fzstd').decompress(block)));
const file = avro.createFileDecoder(process.argv[1], {codecs});
const text = value => value == null ? null : value.string !== undefined ? value.string : value;
file.on('data', thing => {
    let payload = thing.payload;
    if (payload && payload['acme.Press']) payload = payload['acme.Press'];
    const temp = payload && payload.temp;
    console.log(JSON.stringify([thing.seq, thing.id, thing.topic, thing.kind,
        text(thing.payload_json), payload ? [payload.machine, payload.state,
        temp && temp.double !== undefined ? temp.double : temp] : null]));
});
file.on('error', error => { console.error(String(error)); process.exit(1); });
"""


def run(arguments, **options):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False,
                          timeout=300, **options)


def readers_in(tools):
    """{name: the command that reads a file}; of one that was not installed: None."""
    python = tools / "venv" / "bin" / "python"
    return {"fastavro": [python, "-c", FASTAVRO] if python.exists() else None,
            "avsc": ["node", "-e", AVSC] if (tools / "node_modules" / "avsc").is_dir() else None}


def make_file(folder, codec):
    """One file with typed payloads, JSON and a violation."""
    from broker import Broker  # pylint: disable=import-outside-toplevel  # the path is set by main()
    from harness import GOOD, config, policy
    from test_avro import CONFLUENT, SINGLE, message
    from test_container import SCHEMA_TEXT, sink
    schema = {"id": "press", "version": 3, "type": "avro", "file": "press.avsc", "registry_id": 9}
    broker = Broker(folder / codec, config(
        [policy(payload="avro", schema="press:3", limits=[{"field": "/temp", "max": 400}],
                on_violation={"reroute": "q", "to": ["lake"]}), policy("json/#", id="j")],
        sink(schema="press:3", codec=codec), schemas=[schema]))
    (broker.home / "press.avsc").write_text(SCHEMA_TEXT)
    (broker.home / "press.avsc").chmod(0o644)
    try:
        broker.start()
        with broker.client() as publisher:
            for i in range(300):
                publisher.publish("in/a", (b"", SINGLE, CONFLUENT)[i % 3] + message(temp=i / 4), 1)
                publisher.publish("json/a", GOOD, 1)
            publisher.publish("in/a", message(temp=500.0), 1)
        broker.stop()
    finally:
        broker.kill()
    (path,) = (broker.home / "lake").rglob("*.avro")
    return path


def by_debian(path):
    import container  # pylint: disable=import-outside-toplevel
    rows = []
    for thing in container.Container(path).objects:
        payload = thing["payload"]
        rows.append([thing["seq"], str(thing["id"]), thing["topic"], thing["kind"],
                     thing["payload_json"],
                     payload and [payload["machine"], payload["state"], payload["temp"]]])
    return rows


def compare(name, reader, path, expected, tools):
    done = run([*reader, path], env=dict(os.environ, PYTHONPATH="", NODE_PATH=str(tools / "node_modules")))
    if done.returncode != 0:
        print(f"FAIL {name}: {done.stderr.strip()[-600:]}")
        return False
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    different = [pair for pair in zip(rows, expected) if pair[0] != pair[1]]
    if len(rows) != len(expected) or different:
        print(f"FAIL {name}: {len(rows)} records of {len(expected)}; {different[:1]}")
        return False
    print(f"ok {name}: {len(rows)} records")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--tools", required=True, type=Path)
    options = parser.parse_args()
    os.environ["SLUICE_BUILD"] = str(Path(options.build).resolve())
    sys.path.insert(0, str(ROOT / "tests" / "broker"))
    import container  # pylint: disable=import-outside-toplevel
    if not container.is_there():
        print("SKIP oracles containers: python3-avro or python3-zstandard is not installed")
        return 0
    good = True
    with tempfile.TemporaryDirectory(prefix="sluice-oracles-") as folder:
        Path(folder).chmod(0o755)
        for codec in ("null", "deflate", "zstandard"):
            path = make_file(Path(folder), codec)
            expected = by_debian(path)
            if len(expected) != 601 or sum(row[5] is not None for row in expected) != 300:
                print(f"FAIL oracles containers python3-avro {codec}: {len(expected)} records")
                good = False
                continue
            print(f"ok oracles containers python3-avro {codec}: {len(expected)} records")
            for reader, command in readers_in(options.tools).items():
                name = f"oracles containers {reader} {codec}"
                if command is None:
                    print(f"SKIP {name}: it is not installed")
                else:
                    good &= compare(name, command, path, expected, options.tools)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
