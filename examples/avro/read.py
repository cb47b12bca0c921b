#!/usr/bin/env python3
"""Reads the topic `weighings` with Confluent's own client, which asks the registry for the schema that each value
names. One line a value, as Python has it:

    read.py [BROKERS [REGISTRY [N]]]     the first N values; without N all, until Ctrl-C

Needs: pip install 'confluent-kafka[avro,schemaregistry]'
"""

import sys

from confluent_kafka import DeserializingConsumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer


def main(brokers="localhost:9092", registry="http://localhost:8081/apis/ccompat/v7", n="0"):
    consumer = DeserializingConsumer({
        "bootstrap.servers": brokers, "group.id": "examples-avro", "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "value.deserializer": AvroDeserializer(SchemaRegistryClient({"url": registry}))})
    consumer.subscribe(["weighings"])
    read = 0
    while n == "0" or read < int(n):
        message = consumer.poll(1)
        if message is not None:
            print(message.value(), flush=True)
            read += 1
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
