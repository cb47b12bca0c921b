"""The payloads and schemas that run.py measures with, written into a folder.

    61      a single value:              2 properties                     61 bytes
    253     a flat machine state:       12 properties, the schema         253 bytes
    1033    nested, two arrays of numbers                               1,033 bytes
    8183    a batch of 70 records                                       8,183 bytes
    5000    the payloads of 253; the schema declares 4,988 properties besides

2,048 payloads each, no two alike: numbers vary in value and in digits, names in length, and every
eighth 253 leaves an optional property out. A text of varying length keeps the size. All hold.
"""

import json
import random
from pathlib import Path

PAYLOADS = 2048
HERE = Path(__file__).resolve().parent
READING = HERE.parent / "callback" / "reading.v1.json"


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def filled(value, holder, key, size):
    """The value as JSON of just `size` bytes: the text holder[key] grows until it fits."""
    holder[key] = ""
    missing = size - len(compact(value))
    assert missing >= 0, (size, missing)
    holder[key] = "x" * missing
    return compact(value)


def number(dice, low, high, digits):
    return round(dice.uniform(low, high), dice.randint(0, digits))


def single(dice, n):
    value = {"ts": 1767225600000 + n * 37, "value": number(dice, -50, 400, 4), "unit": "C"}
    return filled(value, value, "tag", 61)


def flat(dice, n):
    value = {
        "ts": 1767225600000 + n * 37, "seq": dice.randint(0, 10 ** dice.randint(1, 7)),
        "machine": f"{dice.choice(('press', 'oven', 'mill'))}-{dice.randint(0, 999):03}",
        "state": dice.choice(("idle", "running", "fault")),
        "temperature": number(dice, 20, 350, 3), "pressure": number(dice, 0, 16, 3),
        "vibration": number(dice, 0, 1, 4), "speed": dice.randint(0, 6000),
        "good": dice.random() < 0.9, "unit": dice.choice("CFK"),
        "operator": dice.choice(("shift a", "shift b", "night shift")),
    }
    if n % 8 == 0:
        del value[dice.choice(("vibration", "speed", "operator"))]
    return filled(value, value, "comment", 253)


def nested(dice, n):
    value = {
        "header": {"ts": 1767225600000 + n * 37, "device": {"id": n, "site": "plant-7", "line": "a"}},
        "spectrum": [number(dice, 0, 100, 3) for _ in range(70)],
        "counts": [dice.randint(0, 10 ** dice.randint(1, 6)) for _ in range(60)],
        "quality": {"good": True, "flags": ["ok", "calibrated"]},
    }
    return filled(value, value["quality"], "note", 1033)


def batch(dice, n):
    value = {"source": "line-3", "records": [
        {"t": 1767225600000 + n * 1000 + i, "tag": f"sensor_{dice.randint(0, 99):02}/temperature",
         "v": number(dice, -50, 400, 3), "q": dice.choice((192, 64, 0)), "unit": "degC", "ok": True}
        for i in range(70)]}
    return filled(value, value, "comment", 8183)


SMALL = {
    "type": "object", "required": ["ts", "value"], "additionalProperties": False,
    "properties": {"ts": {"type": "integer", "minimum": 0},
                   "value": {"type": "number", "minimum": -50, "maximum": 400},
                   "unit": {"enum": ["C", "F", "K"]}, "tag": {"type": "string", "maxLength": 64}}}

NESTED = {
    "type": "object", "required": ["header", "spectrum", "counts"], "additionalProperties": False,
    "properties": {
        "header": {"type": "object", "required": ["ts", "device"], "properties": {
            "ts": {"type": "integer", "minimum": 0},
            "device": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer", "minimum": 0},
                "site": {"type": "string", "maxLength": 32}, "line": {"type": "string"}}}}},
        "spectrum": {"type": "array", "maxItems": 1000,
                     "items": {"type": "number", "minimum": 0, "maximum": 1000}},
        "counts": {"type": "array", "maxItems": 1000, "items": {"type": "integer", "minimum": 0}},
        "quality": {"type": "object", "properties": {
            "good": {"type": "boolean"}, "note": {"type": "string"},
            "flags": {"type": "array", "items": {"type": "string"}}}}}}

BATCH = {
    "type": "object", "required": ["source", "records"], "additionalProperties": False,
    "properties": {
        "source": {"type": "string", "maxLength": 64}, "comment": {"type": "string"},
        "records": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {
            "type": "object", "required": ["t", "tag", "v"], "additionalProperties": False,
            "properties": {
                "t": {"type": "integer", "minimum": 0}, "tag": {"type": "string", "maxLength": 64},
                "v": {"type": "number", "minimum": -1000, "maximum": 1000},
                "q": {"enum": [192, 64, 0]}, "unit": {"enum": ["degC", "bar", "mm/s", "rpm"]},
                "ok": {"type": "boolean"}}}}}}


def many_properties(schema, n):
    """The same schema with n properties: its own spread evenly among the others."""
    own = list(schema["properties"].items())
    properties, step = {}, n // len(own)
    for i in range(n):
        if i % step == 0 and own:
            properties.update([own.pop(0)])
        else:
            properties[f"property_{i:04}"] = {"type": "number", "minimum": 0}
    assert len(properties) == n and not own
    return {**schema, "properties": properties}


def write(folder):
    reading = json.loads(READING.read_text())
    kinds = {"61": (SMALL, single), "253": (reading, flat), "1033": (NESTED, nested),
             "8183": (BATCH, batch), "5000": (many_properties(reading, 5000), flat)}
    for name, (schema, make) in kinds.items():
        dice = random.Random(1)
        lines = [make(dice, n) for n in range(PAYLOADS)]
        assert len(set(lines)) == PAYLOADS
        (folder / f"{name}.schema.json").write_text(
            READING.read_text() if name == "253" else compact(schema))
        (folder / f"{name}.lines").write_text("".join(line + "\n" for line in lines))
