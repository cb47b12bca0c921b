#!/usr/bin/env python3
"""Random judgements of the engine (tests/conformance/differential.c --print, one line of JSON a schema on
stdin), held against two implementations that others wrote: jsonschema and jsonschema-rs from PyPI.

    judgements.py  < LINES        `ok oracle …` or `FAIL oracle …`, and how much was compared

Where both say otherwise than Sluice, that is a failure. Where one does and the other agrees with Sluice (as
the naive evaluator does, or there is no line), the peer stands alone: counted, and the
shortest such judgement shown. What both are known to do wrong are rows of SHARED, each with its reason.

Numbers are read exactly: integers as they are, the rest as decimals. Draft 4 tells 1 from 1.0; the other
drafts do not, and Python's integers are what both peers take for an integer there.
"""

import decimal
import json
import sys

import jsonschema
import jsonschema_rs

decimal.setcontext(decimal.Context(prec=2000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN))

SHOWN = 10


def number(text):
    value = decimal.Decimal(text)
    return int(value) if value == value.to_integral_value() else value


def load(text):
    draft_4 = text.startswith('{"draft":"4"')
    return json.loads(text, parse_float=decimal.Decimal if draft_4 else number)


def show(value):
    return json.dumps(value, ensure_ascii=False, default=str)


def schemas_in(schema):
    """All objects in it that could be schemas."""
    inner = ()
    if isinstance(schema, dict):
        yield schema
        inner = schema.values()
    elif isinstance(schema, list):
        inner = schema
    for value in inner:
        yield from schemas_in(value)


def has(schema, keyword):
    return any(keyword in inner for inner in schemas_in(schema))


def is_mixed(draft, schema):
    own = schema["$schema"]
    return any(inner.get("$schema", own) != own for inner in schemas_in(schema))


def has_early_contains(draft, schema):
    return draft == "2019-09" and has(schema, "contains") and has(schema, "unevaluatedItems")


# What both peers do otherwise than the specification: where, and what.
SHARED = (
    (is_mixed, "a resource of another draft inside is judged by the draft around it"),
    (has_early_contains, "2019-09: what `contains` met counts as evaluated, as in 2020-12 (core 9.3.1.3)"),
)


class Peer:
    """One implementation: what it said that nobody else does, and what it could not judge."""

    def __init__(self, name, open_schema):
        self.name, self.open_schema = name, open_schema
        self.agreed, self.alone, self.gave_up = 0, [], {}

    def judge(self, draft, schema, values):
        """Its answers; None where it gives up."""
        try:
            is_valid = self.open_schema(draft, schema)
        except Exception as error:  # a schema that it refuses
            self.give_up(error, len(values))
            return [None] * len(values)
        return [self.answer(is_valid, value) for value in values]

    def answer(self, is_valid, value):
        try:
            return is_valid(value)
        except Exception as error:
            self.give_up(error, 1)
            return None

    def give_up(self, error, count):
        reason = " ".join(str(error).split())[:100]
        self.gave_up[reason] = self.gave_up.get(reason, 0) + count

    def tell(self):
        print(f"    {self.name}: {self.agreed} agree, {len(self.alone)} where it stands alone, "
              f"{sum(self.gave_up.values())} it could not judge")
        for line in sorted(self.alone, key=len)[:1]:
            print(f"        alone: {line}")
        for reason, count in sorted(self.gave_up.items(), key=lambda item: -item[1])[:2]:
            print(f"        not judged, {count}: {reason}")


def peers():
    ours = {"4": "Draft4Validator", "6": "Draft6Validator", "7": "Draft7Validator",
            "2019-09": "Draft201909Validator", "2020-12": "Draft202012Validator"}
    return [
        Peer("jsonschema", lambda draft, schema: getattr(jsonschema, ours[draft])(schema).is_valid),
        Peer("jsonschema-rs", lambda draft, schema: getattr(jsonschema_rs, ours[draft])(
            schema, validate_formats=False).is_valid),
    ]


def main():
    both = peers()
    compared, shared, failures = 0, {}, []
    for line in sys.stdin:
        case = load(line)
        draft, schema, values = case["draft"], case["schema"], case["values"]
        answers = [peer.judge(draft, schema, values) for peer in both]
        for value, held, *said in zip(values, case["held"], *answers):
            if None not in said:
                compared += 1
            others = [answer for answer in said if answer is not None]
            told = f"draft {draft}: Sluice says {held}: {show(schema)} at {show(value)}"
            if others and held not in others:
                reason = next((reason for applies, reason in SHARED if applies(draft, schema)), None)
                if reason:
                    shared[reason] = shared.get(reason, 0) + 1
                else:
                    failures.append(told)
                continue
            for peer, answer in zip(both, said):
                if answer == held:
                    peer.agreed += 1
                elif answer is not None:
                    peer.alone.append(told)
    verdict = "FAIL" if failures or compared == 0 else "ok"
    print(f"{verdict} oracle json_schema: {compared} random judgements of jsonschema and jsonschema-rs, "
          f"{len(failures)} where both say otherwise")
    for line in sorted(failures, key=len)[:SHOWN]:
        print(f"    {line}")
    for peer in both:
        peer.tell()
    for reason, count in shared.items():
        print(f"    both otherwise, {count}: {reason}")
    return 1 if verdict == "FAIL" else 0


if __name__ == "__main__":
    sys.exit(main())
