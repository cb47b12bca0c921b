#!/usr/bin/python3
"""What the checkweighers of the factory said, read by Debian's python3-avro with the example's schema. It belongs to
the system's Python, which need not be the one that runs the tests:

    weighings.py SCHEMA < bodies       one in hex a line; prints [head, {field: value}] in JSON for each

The head is `single_object` where it begins with C3 01 (`sluice validate` says whether the fingerprint behind it is
the schema's), or the id behind a 00.
Decimals and times are text in it: no digit is lost.
"""

import io
import json
import subprocess
import sys
from pathlib import Path

PYTHON = "/usr/bin/python3"
SCHEMA = Path(__file__).resolve().parents[2] / "examples" / "factory" / "schemas" / "weighing.v1.avsc"


def read(messages, schema=SCHEMA):
    """[(head, fields)] of messages in hex."""
    done = subprocess.run([PYTHON, __file__, schema], input="\n".join(messages), capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def main():
    import avro.io
    import avro.schema

    with open(sys.argv[1], encoding="utf-8") as file:
        schema = avro.schema.parse(file.read())
    reader = avro.io.DatumReader(schema)
    for line in sys.stdin:
        message = bytes.fromhex(line.strip())
        if message[:2] == b"\xc3\x01":
            head, at = "single_object", 10
        else:
            assert message[0] == 0, f"no head: {line}"
            head, at = int.from_bytes(message[1:5], "big"), 5
        body = io.BytesIO(message[at:])
        fields = reader.read(avro.io.BinaryDecoder(body))
        assert not body.read(), f"bytes behind the value: {line}"
        fields.update(at=int(fields["at"].timestamp() * 1000), grams=str(fields["grams"]))
        print(json.dumps([head, fields]))


if __name__ == "__main__":
    main()
