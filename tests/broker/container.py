#!/usr/bin/python3
"""Container files of the file sink, read by Debian's python3-avro: somebody else's reader, with the schema
that the file carries. It belongs to the system's Python, which need not be the one that runs the tests:

    container.py FILE…    each file's metadata and objects, pickled
"""

import json
import pickle
import subprocess
import sys
from datetime import datetime, timezone

PYTHON = "/usr/bin/python3"


def is_there():
    """Is the reader installed, with all codecs?"""
    return subprocess.run([PYTHON, "-c", "import avro, zstandard"], capture_output=True,
                          check=False).returncode == 0


class Container:
    """One file, read whole: `schema` (its text), `codec`, `meta`, and `objects` as python3-avro has them."""

    def __init__(self, path):
        done = subprocess.run([PYTHON, __file__, str(path)], capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{path}: not readable: {done.stderr.decode()[-2000:]}")
        self.meta, self.objects = pickle.loads(done.stdout)
        self.schema, self.codec = self.meta["avro.schema"], self.meta["avro.codec"]


def moment(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def envelope(thing):
    """An object as the envelope that a line would be (schemas/record.schema.json)."""
    record = {key: value for key, value in thing.items()
              if value is not None and not key.startswith("payload")}
    record.update(v=1, id=str(thing["id"]), seq=str(thing["seq"]), time=moment(thing["time"]),
                  event_time=moment(thing["event_time"]))
    record["user_properties"] = [[p["name"], p["value"]] for p in thing["user_properties"]]
    if not record["user_properties"]:
        del record["user_properties"]
    if thing.get("payload") is not None:
        record["payload"] = thing["payload"]
    elif thing["payload_json"] is not None:
        record["payload"] = json.loads(thing["payload_json"])
    return record


def records(path):
    return [envelope(thing) for thing in Container(path).objects]


def plain(value):
    """Without types that only python3-avro has: its time zone."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc)
    if isinstance(value, dict):
        return {key: plain(below) for key, below in value.items()}
    return [plain(below) for below in value] if isinstance(value, list) else value


def main():
    import avro.datafile  # pylint: disable=import-outside-toplevel  # only the system's Python has it
    import avro.io        # pylint: disable=import-outside-toplevel
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            with avro.datafile.DataFileReader(file, avro.io.DatumReader()) as reader:
                meta = {key: value.decode() for key, value in reader.meta.items()}
                pickle.dump((meta, plain(list(reader))), sys.stdout.buffer)


if __name__ == "__main__":
    main()
