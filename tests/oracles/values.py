#!/usr/bin/env python3
"""Avro behind the id of a schema registry, as the registry's own clients have it: npm's @confluentinc/schemaregistry
and PyPI's confluent-kafka, with Apicurio Registry and a Kafka. JSON goes in, and both must read from the topic what
was meant; messages that they framed go in, Sluice must see in them what they meant, and both must read it again.
`ok NAME`, `FAIL NAME` and why, `SKIP NAME: reason`.

    values.py --build DIR --tools DIR       DIR of tools: what tests/oracles/avro.sh installed
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import uuid
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "oracles"
TOPIC, N = "samples", 200
EPOCH_DAY = 20000  # 2024-10-04

PART = {"type": "record", "name": "Part", "fields": [
    {"name": "name", "type": "string"}, {"name": "weight", "type": "float"},
    {"name": "inside", "type": ["null", "Part"], "default": None}]}
SAMPLE = {"type": "record", "name": "Sample", "namespace": "acme", "fields": [
    {"name": "n", "type": "long"},
    {"name": "machine", "type": "string"},
    {"name": "force", "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 3}},
    {"name": "torque", "type": {"type": "fixed", "name": "Torque", "size": 9, "logicalType": "decimal",
                                "precision": 20, "scale": 2}},
    {"name": "serial", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["IDLE", "RUN", "FAULT"]}},
    {"name": "temp", "type": ["null", "double"], "default": None},
    {"name": "ratio", "type": "float"},
    {"name": "ok", "type": "boolean"},
    {"name": "blob", "type": "bytes"},
    {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 4}},
    {"name": "tags", "type": {"type": "map", "values": ["long", "string"]}, "default": {}},
    {"name": "parts", "type": {"type": "array", "items": PART}},
    {"name": "unit", "type": "string", "default": "kN"}]}


def as_float(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def sample(n):
    """What is meant: decimals as text, times as their numbers."""
    part = {"name": f"p{n}", "weight": as_float(n / 3), "inside": None}
    return {
        "n": (-2**63, 2**63 - 1, 2**53 + 1, 0)[n] if n < 4 else (-1)**n * 7**(n % 22),
        "machine": f"Ölpresse {n % 7} 油" if n % 5 else "",
        "force": f"{'-' if n % 2 else ''}{12345678901234567 // (n * n + 1)}.{n % 1000:03d}",
        "torque": f"{'-' if n % 3 == 1 else ''}{98765432101234567 if n % 4 else 0}.25",
        "serial": str(uuid.UUID(int=n * 0x1234567890ABCDEF1234567 % 2**128)),
        "at": 1764331200500 + n * 86_400_017 if n % 9 else -1 - n, "day": EPOCH_DAY + n,
        "state": ("IDLE", "RUN", "FAULT")[n % 3], "temp": None if n % 4 == 0 else n / 7, "ratio": as_float(1 / (n + 1)),
        "ok": n % 2 == 0, "blob": bytes((n * i) % 256 for i in range(n % 40)), "mark": struct.pack(">I", n * 0x01020304),
        "tags": {} if n % 6 == 0 else {"a": n - 50, "b": f"é{n}"},
        "parts": [dict(part, inside=part) for _ in range(n % 4)], "unit": "kN" if n % 3 == 0 else "N"}


def as_json(value, n):
    """A payload of JSON: numbers with all their digits, what has its default left out now and then."""
    value = dict(value, force="@force", torque="@torque", blob=value["blob"].decode("latin-1"),
                 mark=value["mark"].decode("latin-1"))
    for name in [name for name, default in (("temp", None), ("tags", {}), ("unit", "kN"))
                 if value[name] == default and n % 2]:
        del value[name]
    meant = sample(n)
    text = json.dumps(value, ensure_ascii=n % 2 == 0)
    return text.replace('"@force"', meant["force"]).replace('"@torque"', meant["torque"]).encode()


def in_python(value):
    return dict(value, blob={"hex": value["blob"].hex()}, mark={"hex": value["mark"].hex()})


def fewest_bytes(n):
    return n.to_bytes(((n if n >= 0 else ~n).bit_length() + 8) // 8, "big", signed=True)


def in_node(value):
    """avsc leaves logical types alone."""
    force, torque = (int(Decimal(value[name]).scaleb(scale)) for name, scale in (("force", 3), ("torque", 2)))
    return dict(in_python(value), n=str(value["n"]), at=str(value["at"]), force={"hex": fewest_bytes(force).hex()},
                torque={"hex": torque.to_bytes(9, "big", signed=True).hex()},
                tags={key: str(tag) for key, tag in value["tags"].items()})


def for_node(value):
    """The same with every long marked as one."""
    return dict(in_node(value), n={"long": str(value["n"])}, at={"long": str(value["at"])},
                tags={key: {"long": str(tag)} if isinstance(tag, int) else tag for key, tag in value["tags"].items()})


def in_sluice(value):
    """As the record envelope has it, numbers as their digits."""
    number = lambda digits: Decimal(str(digits))
    part = lambda p: p and dict(p, weight=number(p["weight"]), inside=part(p["inside"]))
    return dict(value, blob=value["blob"].decode("latin-1"), mark=value["mark"].decode("latin-1"),
                parts=[part(p) for p in value["parts"]], temp=value["temp"] and number(value["temp"]),
                tags={key: number(tag) if isinstance(tag, int) else tag for key, tag in value["tags"].items()},
                **{name: number(value[name]) for name in ("n", "force", "torque", "at", "day", "ratio")})


class Client:
    """One of the registry's clients, a program that reads or writes."""

    def __init__(self, name, command, environment, url):
        self.name, self.command, self.url = name, command, url
        self.environment = dict(os.environ, no_proxy="127.0.0.1", NO_PROXY="127.0.0.1", **environment)

    def ask(self, verb, lines):
        done = subprocess.run([*map(str, self.command), verb, self.url, TOPIC], input="\n".join(lines) + "\n",
                              capture_output=True, text=True, timeout=120, check=False, env=self.environment)
        assert done.returncode == 0, f"{self.name}: {done.stderr[-2000:]}"
        return done.stdout.splitlines()

    def read(self, values):
        return [json.loads(line) for line in self.ask("read", [value.hex() for value in values])]


def clients(tools, url):
    return (Client("confluent-kafka", [tools / "venv" / "bin" / "python", HERE / "registry_client.py"], {}, url),
            Client("@confluentinc/schemaregistry", ["node", HERE / "registry.js"],
                   {"NODE_PATH": str(tools / "node_modules")}, url))


def start_broker(folder, registry, kafka):
    from broker import Broker  # pylint: disable=import-outside-toplevel  # the path is set by main()
    from harness import config, policy
    rule = dict(limits=None, to=["topic", "lake"], on_violation={"reroute": "q/${code}"})
    sinks = {"topic": {"type": "kafka", "brokers": kafka.address, "topic": TOPIC, "value": "avro",
                       "schema": "sample:1", "framing": "confluent"},
             "lake": {"type": "file", "path": "@HOME@/lake"}}
    text = config([policy("json/#", id="json", **rule),
                   policy("avro/#", id="avro", payload="avro", schema="sample:1", framing="confluent", **rule)],
                  sinks=sinks, registry={"url": registry.url},
                  schemas=[{"id": "sample", "version": 1, "type": "avro",
                            "registry": {"subject": f"{TOPIC}-value", "version": "latest"}}])
    return Broker(folder / "broker", text, env={"no_proxy": "127.0.0.1"}).start()


def publish(broker, messages):
    with broker.client("gateway") as publisher:
        for topic, payload in messages:
            publisher.publish(topic, payload, 1)
    status = broker.status_when(lambda s: s["messages"]["received"] >= len(messages) and
                                all(sink["spooled"] == 0 for sink in s["sinks"].values()), "all is delivered", 60)
    assert status["messages"]["accepted"] == len(messages), status["messages"]
    assert all(sink["delivered"] == len(messages) for sink in status["sinks"].values()), status["sinks"]


def expect(what, found, wanted):
    assert len(found) == len(wanted), f"{what}: {len(found)} values, not {len(wanted)}"
    for n, (there, meant) in enumerate(zip(found, wanted)):
        different = {key: (there.get(key), meant.get(key)) for key in {*there, *meant} if there.get(key) != meant.get(key)}
        assert not different and there.keys() == meant.keys(), f"{what}, value {n}, (read, meant): {different}"


class Plant:
    def __init__(self, folder, tools):
        import apicurio  # pylint: disable=import-outside-toplevel
        import kafka
        self.folder, self.broker = folder, None
        self.registry, self.kafka = apicurio.Registry(folder / "registry").start(), kafka.Kafka(folder / "kafka").start()
        self.kafka.create(TOPIC, 1)
        self.id = self.registry.register(f"{TOPIC}-value", SAMPLE)
        self.clients = clients(tools, self.registry.url)
        self.meant = [sample(n) for n in range(N)]

    def close(self):
        for thing in (self.broker and self.broker.kill, self.kafka.stop, self.registry.stop):
            if thing:
                thing()

    def pour(self):
        """JSON, and what each client framed, in one topic one after the other."""
        self.broker = start_broker(self.folder, self.registry, self.kafka)
        python, node = self.clients
        framed = [bytes.fromhex(line) for line in
                  python.ask("write", [json.dumps(in_python(value)) for value in self.meant]) +
                  node.ask("write", [json.dumps(for_node(value)) for value in self.meant])]
        messages = [("json/a", as_json(value, n)) for n, value in enumerate(self.meant)]
        publish(self.broker, messages + [("avro/a", payload) for payload in framed])
        self.broker.stop(60)

    def values(self):
        once = {record.id: record.value for record in self.kafka.consume(TOPIC)}  # with the same id it may be there twice
        head = b"\0" + self.id.to_bytes(4, "big")
        assert {value[:5] for value in once.values()} == {head}, "not all begin with the subject's id"
        return list(once.values())

    def read_by_clients(self):
        """[(name, function)], one for each way in and each reader."""
        values = self.values()
        for i, way in enumerate(("JSON", "Avro by confluent-kafka", "Avro by @confluentinc/schemaregistry")):
            for client, tongue in zip(self.clients, (in_python, in_node)):
                def test(client=client, tongue=tongue, part=values[i * N:(i + 1) * N]):
                    expect("the topic", client.read(part), [tongue(value) for value in self.meant])
                yield f"{way}: {client.name} reads from Kafka what was meant", test

    def understood(self):
        import checks  # pylint: disable=import-outside-toplevel
        records = [record for record in checks.lake(self.broker.home / "lake", exact=True)
                   if record["topic"].startswith("avro/")]
        names = ("n", "force", "torque", "at", "day", "ratio")

        def payload(fields):
            part = lambda p: p and dict(p, weight=Decimal(p["weight"]), inside=part(p["inside"]))
            tags = {key: Decimal(tag) if tag.lstrip("-").isdigit() else tag for key, tag in fields["tags"].items()}
            return dict(fields, temp=fields["temp"] and Decimal(fields["temp"]), tags=tags,
                        parts=[part(p) for p in fields["parts"]], **{name: Decimal(fields[name]) for name in names})
        expect("the lake", [payload(record["payload"]) for record in records], [in_sluice(v) for v in self.meant] * 2)


def tests(plant):
    yield "what clients frame is accepted, and delivered with JSON", plant.pour
    yield "Sluice sees in the clients' messages what they meant", plant.understood
    yield from plant.read_by_clients()


def why_not(tools):
    import apicurio  # pylint: disable=import-outside-toplevel
    import kafka
    for part in ("venv/bin/python", "node_modules/@confluentinc/schemaregistry"):
        if not (tools / part).exists():
            return f"{part} is not in {tools}"
    try:
        apicurio.fetch()
        kafka.fetch()
    except (apicurio.Missing, kafka.Missing) as reason:
        return str(reason)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--tools", required=True, type=Path)
    options = parser.parse_args()
    os.environ["SLUICE_BUILD"] = str(Path(options.build).resolve())
    for folder in ("broker", "kafka", "registry"):
        sys.path.insert(0, str(ROOT / "tests" / folder))
    reason = why_not(options.tools)
    if reason:
        print(f"SKIP oracles values: {reason}")
        return 0
    with tempfile.TemporaryDirectory(prefix="sluice-oracles-") as folder:
        Path(folder).chmod(0o755)
        plant = Plant(Path(folder), options.tools.resolve())
        try:
            for name, test in tests(plant):
                try:
                    test()
                    print(f"ok oracles values: {name}", flush=True)
                except Exception as problem:  # pylint: disable=broad-except  # a test may fail in any way
                    print(f"FAIL oracles values: {name}: {problem}", flush=True)
                    if plant.broker:
                        print("    " + plant.broker.log()[-1500:].replace("\n", "\n    "))
                    return 1
        finally:
            plant.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
