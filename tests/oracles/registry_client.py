"""PyPI's confluent-kafka, read or write: every line of stdin is one value, every line of stdout too.

    registry_client.py read URL TOPIC     in hex → JSON
    registry_client.py write URL TOPIC    JSON → in hex, framed with the id of the subject's latest version

In JSON a decimal and a UUID are text, a time is its number in the schema's unit, bytes are {"hex": …}.
"""

import datetime
import json
import sys
import uuid
from decimal import Decimal

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def told(value):
    if isinstance(value, dict):
        return {key: told(item) for key, item in value.items()}
    if isinstance(value, list):
        return [told(item) for item in value]
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, (Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, datetime.datetime):
        return (value.astimezone(UTC) - EPOCH) // datetime.timedelta(milliseconds=1)
    if isinstance(value, datetime.date):
        return (value - EPOCH.date()).days
    return value


def meant(fields):
    """A Sample, see values.py."""
    fields = dict(fields, force=Decimal(fields["force"]), torque=Decimal(fields["torque"]),
                  serial=uuid.UUID(fields["serial"]), blob=bytes.fromhex(fields["blob"]["hex"]),
                  at=EPOCH + datetime.timedelta(milliseconds=fields["at"]),
                  day=EPOCH.date() + datetime.timedelta(days=fields["day"]))
    fields["mark"] = bytes.fromhex(fields["mark"]["hex"])
    return fields


def main(verb, url, topic):
    client = SchemaRegistryClient({"url": url})
    context = SerializationContext(topic, MessageField.VALUE)
    if verb == "read":
        deserialize = AvroDeserializer(client)
        for line in sys.stdin:
            print(json.dumps(told(deserialize(bytes.fromhex(line.strip()), context))))
        return
    serialize = AvroSerializer(client, conf={"auto.register.schemas": False, "use.latest.version": True})
    for line in sys.stdin:
        print(serialize(meant(json.loads(line)), context).hex())


if __name__ == "__main__":
    main(*sys.argv[1:])
