"""Confluent's own client reads values of a topic: every line of stdin is one in hex, every line of stdout
what it means, as JSON. It asks the registry for the schema whose id stands in the value.

    confluent.py FOLDER URL TOPIC < values

FOLDER: where the client was installed. Imported, it installs the client there, once:

    ${XDG_CACHE_HOME:-~/.cache}/sluice/confluent-kafka-2.16.0-cpython-311   for this release of Python
"""

import json
import os
import subprocess
import sys
from pathlib import Path

VERSION = "2.16.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice"
HOME = CACHE / f"confluent-kafka-{VERSION}-{sys.implementation.cache_tag}"


def fetch():
    """Why the client cannot be had; None: it is there."""
    if (HOME / ".complete").exists():
        return None
    done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", HOME,
                           f"confluent-kafka[avro,schemaregistry]=={VERSION}"],
                          capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        return f"Confluent's client could not be installed: {done.stderr.strip()[-200:]}"
    (HOME / ".complete").touch()
    return None


def read(url, topic, values):
    """What the values mean."""
    done = subprocess.run([sys.executable, __file__, HOME, url, topic],
                          input="\n".join(value.hex() for value in values), capture_output=True,
                          text=True, timeout=120, check=False,
                          env=dict(os.environ, no_proxy="127.0.0.1"))
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    sys.path.insert(0, sys.argv[1])
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    deserialize = AvroDeserializer(SchemaRegistryClient({"url": sys.argv[2]}))
    context = SerializationContext(sys.argv[3], MessageField.VALUE)
    for line in sys.stdin:
        print(json.dumps(deserialize(bytes.fromhex(line.strip()), context)))


if __name__ == "__main__":
    main()
