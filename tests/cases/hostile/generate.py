#!/usr/bin/env python3
"""Schemas and payloads that somebody made to hold the broker: generate.py FOLDER

Each case is FOLDER/NAME.schema.json and FOLDER/NAME.payload, at most 256 KiB, made here rather than kept:
all of them together are some 20 MB. A generator is a function below; its docstring says what it goes for.
Schemas are 2020-12. The engine may refuse a schema at load (then it costs nothing) but whatever it
accepts must end in time: tests/cases/hostile/run.py.
"""

import json
import sys
from pathlib import Path

SIZE = 256 * 1024
CASES = {}
HONEST = set()  # hold, and must be seen to


def case(function):
    CASES[function.__name__] = function
    return function


def honest(function):
    HONEST.add(function.__name__)
    return case(function)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def filled(head, item, tail, size=SIZE):
    """head, as many items as fit, tail: text of `size` bytes at most, as a JSON array or object."""
    parts, n = [], len(head.encode()) + len(tail.encode())
    i = 0
    while True:
        text = item(i) if callable(item) else item
        n += len(text.encode()) + (1 if parts else 0)
        if n > size:
            break
        parts.append(text)
        i += 1
    return head + ",".join(parts) + tail


def numbers(text="1"):
    return filled("[", text, "]")


def doubling(keyword, depth, leaf, wrap=lambda name: {"$ref": f"#/$defs/{name}"}):
    """depth definitions, each of which refers to the next one twice: 2^depth judgements."""
    defs = {f"d{i}": {keyword: [wrap(f"d{i + 1}"), wrap(f"d{i + 1}")]} for i in range(depth)}
    defs[f"d{depth}"] = leaf
    return {"$defs": defs, "$ref": "#/$defs/d0"}


# ── applicators ──────────────────────────────────────────────────────────────────────────────────

@case
def all_of_exponential():
    """2^40 times the same thing, all of which hold."""
    return doubling("allOf", 40, {"minimum": 0}), "1.5"


@case
def any_of_exponential():
    """2^40 branches, all of which fail at the leaf."""
    return doubling("anyOf", 40, {"type": "string"}), "1"


@case
def one_of_exponential_in_every_item():
    return {"items": doubling("oneOf", 12, {"const": [2]})} | {
        "$defs": doubling("oneOf", 12, {"const": [2]})["$defs"]}, numbers("[1]")


@case
def any_of_of_many_objects():
    """1,000 branches that each walk the whole object before they fail."""
    return {"anyOf": [{"required": [f"z{i}"], "properties": {"a": {"minimum": 5}}} for i in range(1000)]}, \
        filled("{", lambda i: f'"k{i}":[{i}]', "}")


@case
def not_of_not():
    schema = {"items": {"minimum": 10}}
    for _ in range(200):
        schema = {"not": schema}
    return schema, numbers("11.5")


@case
def all_of_many_on_every_item():
    """300 schemas for each of 87,000 items."""
    return {"items": {"allOf": [{"type": "number"} for _ in range(300)]}}, numbers("11")


@case
def if_then_else_chain():
    schema = {"type": "number"}
    for i in range(250):
        schema = {"if": {"const": i}, "then": False, "else": schema}
    return {"items": schema}, numbers('"x"')


@case
def contains_in_contains():
    schema = {"const": 7}
    for _ in range(3):
        schema = {"contains": schema, "maxContains": 1000000, "minContains": 0}
    row = "[" + ",".join(["[" + ",".join(["8"] * 40) + "]"] * 40) + "]"
    return schema, filled("[", row, "]")


@case
def branches_that_fail_at_the_end():
    """Each of many branches looks at every item and fails at the last one."""
    return {"anyOf": [{"items": {"not": {"const": -i - 1}}, "contains": {"const": i + 1000}}
                      for i in range(500)]}, numbers("1")


# ── references ───────────────────────────────────────────────────────────────────────────────────

@case
def ref_recursion_with_branches():
    """A tree whose every level is judged by two branches: 2^60."""
    payload = "1"
    for _ in range(60):
        payload = f'{{"a":{payload}}}'
    return {"$ref": "#/$defs/t", "$defs": {"t": {"anyOf": [
        {"properties": {"a": {"$ref": "#/$defs/t"}}, "required": ["z"]},
        {"properties": {"a": {"$ref": "#/$defs/t"}}, "required": ["y"]}]}}}, payload


@case
def ref_long_chain():
    """A chain of references for every item."""
    defs = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(500)}
    defs["d500"] = {"minimum": 2}
    return {"items": {"$ref": "#/$defs/d0"}, "$defs": defs}, numbers("2")


@case
def dynamic_ref_loop():
    """Every level of the value comes into 200 resources' scope again."""
    payload = "1"
    for _ in range(60):
        payload = f"[{payload},{payload[:200] if payload[:200].count('[') == 0 else 1}]"
    defs = {f"r{i}": {"$id": f"http://h/r{i}", "$dynamicAnchor": "n",
                      "allOf": [{"$ref": f"r{i + 1}"}] if i < 199 else [],
                      "items": {"$dynamicRef": "#n"}} for i in range(200)}
    for node in defs.values():
        if not node["allOf"]:
            del node["allOf"]
    return {"$id": "http://h/root", "$dynamicAnchor": "n", "$ref": "r0", "$defs": defs}, payload


@case
def dynamic_ref_of_many_anchors():
    """One anchor in 2,000 resources; the reference looks for the outermost in scope, for each item."""
    defs = {f"r{i}": {"$id": f"http://h/r{i}", "$dynamicAnchor": "n", "type": "integer"} for i in range(2000)}
    return {"$id": "http://h/root", "$defs": defs, "items": {"$dynamicRef": "r0#n"}}, numbers("1")


@case
def dynamic_ref_exponential():
    return {"$id": "http://h/root", "$dynamicAnchor": "n", "$defs": {},
            "anyOf": [{"items": {"$dynamicRef": "#n"}, "minItems": 2},
                      {"items": {"$dynamicRef": "#n"}, "minItems": 3}]}, \
        "[" * 60 + "1" + "]" * 60


# ── unevaluated ──────────────────────────────────────────────────────────────────────────────────

@case
def unevaluated_over_many_branches():
    """Each branch keeps bits of 80,000 items of its own."""
    return {"anyOf": [{"prefixItems": [True] * (i % 5 + 1)} for i in range(2000)],
            "unevaluatedItems": False}, numbers("1")


@case
def unevaluated_nested_in_place():
    schema = {"prefixItems": [True]}
    for _ in range(200):
        schema = {"allOf": [schema, {"anyOf": [{"contains": {"const": 2}, "minContains": 0}, True]}],
                  "unevaluatedItems": True}
    return schema, numbers("1")


@case
def unevaluated_properties_of_many():
    return {"allOf": [{"patternProperties": {f"{i}$": True}} for i in range(100)],
            "unevaluatedProperties": {"type": "string"}}, filled("{", lambda i: f'"k{i}":"v"', "}")


@case
def one_of_with_annotations_everywhere():
    return {"oneOf": [{"properties": {f"k{i}": {"const": i}}, "required": [f"q{i}"]} for i in range(1500)],
            "unevaluatedProperties": False}, filled("{", lambda i: f'"k{i}":{i}', "}")


# ── patterns ─────────────────────────────────────────────────────────────────────────────────────

@case
def redos_nested_plus():
    return {"pattern": "^(a+)+$"}, '"' + "a" * (SIZE - 3) + '!"'


@case
def redos_overlapping_alternatives():
    return {"pattern": "^(a|aa)+$"}, '"' + "a" * (SIZE - 3) + '!"'


@case
def redos_twelve_stars():
    return {"pattern": "^(.*a){12}$"}, '"' + "a" * (SIZE - 3) + '!"'


@case
def redos_back_reference():
    """No automaton can do it: PCRE2, from every offset."""
    return {"pattern": r"(a*)*\1b"}, '"' + "a" * (SIZE - 4) + 'cb"'


@case
def redos_look_ahead():
    return {"pattern": r"(?=(a+)+$)x"}, '"' + "a" * (SIZE - 4) + '!x"'


@case
def redos_look_behind():
    return {"pattern": r"(?<=a{200}c)b"}, '"' + "b" * (SIZE - 2) + '"'


@case
def redos_word_boundary():
    return {"pattern": r"\b(a|b|ab)*c\b"}, '"' + "ab" * (SIZE // 2 - 2) + '!c"'


@case
def redos_unicode_property():
    return {"pattern": r"^(\p{L}+\d?)+$"}, '"' + "é" * (SIZE // 2 - 2) + '!"'


@case
def redos_of_many_short_strings():
    """40,000 strings, each a search of its own that PCRE2 begins and gives up."""
    return {"items": {"pattern": r"(?=a)(a|aa)+\1$"}}, numbers('"aaaaaaaaaaaaaaaaaaaaaaaaaaaa!"')


@case
def redos_in_property_names():
    return {"patternProperties": {rf"^(?!x)(a+)+{i}$": False for i in range(20)}}, \
        filled("{", lambda i: f'"{"a" * 40}{i:05}!":1', "}")


@case
def pattern_of_many_states():
    return {"items": {"pattern": "(a|b)*a(a|b){11}$"}}, numbers('"' + "ab" * 2000 + '"')


@case
def patterns_times_strings():
    """300 patterns for each of 2,000 strings."""
    return {"items": {"allOf": [{"pattern": f"^[a-y]*{i}z"} for i in range(300)]}}, numbers('"' + "a" * 120 + '"')


@case
def pattern_properties_times_keys():
    return {"patternProperties": {f"[b-y]{i}z": {"type": "string"} for i in range(300)}}, \
        filled("{", lambda i: f'"{"bc" * 10}{i}":1', "}")


@case
def look_behind_with_classes():
    return {"items": {"pattern": r"(?<![a-z0-9_]{30})(?<=[a-z]{30})[0-9]"}}, numbers('"' + "a" * 5000 + '"')


@case
def case_of_lazy_quantifiers():
    return {"pattern": r"(?=.*?a.*?a.*?a.*?a.*?b)c"}, '"' + "a" * (SIZE - 4) + 'cb"'


@case
def back_reference_of_a_long_text():
    """Each step compares half of the text."""
    return {"pattern": r"^(a*)\1\1b"}, '"' + "a" * (SIZE - 4) + 'cb"'


@case
def back_reference_from_every_offset():
    """A comparison of a thousand bytes for a step, from each offset."""
    return {"pattern": r"(a{1000})\1{60}b"}, '"' + "a" * (SIZE - 4) + 'cb"'


@case
def look_ahead_from_every_offset():
    """One step at each offset, which reads far."""
    return {"pattern": r"(?=[ac]*b)[^ac]x"}, '"' + "a" * (SIZE - 5) + 'cbx"'


@case
def classes_repeated_in_one_step():
    return {"pattern": r"(?=a)[ac]{0,60000}[ac]{0,60000}d"}, '"' + "a" * (SIZE - 4) + 'bd"'


@case
def look_behind_of_alternatives():
    return {"pattern": r"(?<=" + "|".join("a" * i + "c" for i in range(1, 100)) + ")b"}, \
        '"' + "ab" * (SIZE // 2 - 2) + '"'

@case
def length_of_long_strings():
    """Counting code points again and again."""
    return {"allOf": [{"maxLength": 100000 + i} for i in range(400)]}, '"' + "é" * (SIZE // 2 - 2) + '"'


# ── deep, wide, long ─────────────────────────────────────────────────────────────────────────────

@case
def deep_nesting_beyond_the_limit():
    return {"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, \
        "[" * (SIZE // 2) + "]" * (SIZE // 2)


@case
def deep_nesting_within_the_limit():
    return {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"items": {"$ref": "#/$defs/a"}}] * 3}}}, \
        "[" * 63 + "1" + "]" * 63


@case
def hundred_thousand_properties():
    """As many declared as fit; each member another one, backwards."""
    n = 100000
    return {"properties": {f"p{i}": {"type": "integer", "minimum": 0} for i in range(n)},
            "required": [f"p{i}" for i in range(0, n, 2)]}, filled("{", lambda i: f'"p{n - 1 - i}":{i}', "}")


@case
def required_by_many_dependents():
    names = [f"p{i}" for i in range(300)]
    return {"dependentRequired": {name: names for name in names}}, \
        compact({name: 1 for name in names})


@case
def dependent_schemas_of_all():
    return {"dependentSchemas": {f"p{i}": {"maxProperties": 100000, "properties": {"q": {"type": "string"}}}
                                 for i in range(3000)}}, filled("{", lambda i: f'"p{i}":1', "}")


@case
def many_violations():
    """Every member is told, with texts."""
    return {"additionalProperties": {"type": "string", "enum": ["x" * 500, "y" * 500]}}, \
        filled("{", lambda i: f'"{"k" * 20}{i}":1', "}")


@case
def many_violations_deep():
    """Each violation's pointer is long and is looked for from the root."""
    schema = {"items": {"type": "string"}}
    payload = filled("[", "1", "]", SIZE - 3000)
    for _ in range(50):
        schema = {"additionalProperties": schema}
        payload = f'{{"{"~" * 50}":{payload}}}'
    return schema, payload


@case
def missing_required_many():
    return {"items": {"required": [f"r{i}" for i in range(1000)]}}, numbers("{}")


@case
def names_made_to_collide():
    """Keys of one length with few different bytes."""
    return {"propertyNames": {"maxLength": 64}}, filled("{", lambda i: f'"{i:017b}":0', "}")


@case
def enum_of_large_values():
    value = [{"a": i, "b": [1, 2, 3]} for i in range(200)]
    return {"items": {"enum": [value + [i] for i in range(8)]}}, numbers(compact(value + [9]))


@honest
def enum_of_many_values():
    return {"items": {"enum": [f"v{i}" for i in range(20000)]}}, numbers('"v19999"')


@case
def const_object_in_another_order():
    """Keys are looked for one by one."""
    n = 3000
    return {"items": {"const": {f"k{i}": i for i in range(n)}}}, \
        numbers(compact({f"k{i}": i for i in range(n - 1, -1, -1)}))


# ── uniqueItems ──────────────────────────────────────────────────────────────────────────────────

@honest
def unique_of_numbers():
    return {"uniqueItems": True}, filled("[", str, "]")


@honest
def unique_of_strings():
    return {"uniqueItems": True}, filled("[", lambda i: f'"{i:x}"', "]")


@case
def unique_of_doubles_with_one_nearest():
    """All have the same nearest double: their hashes are equal, only the digits tell."""
    return {"uniqueItems": True}, filled("[", lambda i: f"1.{i:040}", "]")


@honest
def unique_of_big_numbers():
    return {"uniqueItems": True}, filled("[", lambda i: f"1{i:030}", "]")


@honest
def unique_of_same_hash_objects():
    return {"uniqueItems": True}, filled("[", lambda i: f'{{"a":{i},"b":{i}}}', "]")


@case
def unique_under_all_of():
    return {"allOf": [{"uniqueItems": True}] * 200}, filled("[", str, "]")


@case
def unique_pairwise_of_long_strings():
    text = "x" * 40000
    return {"allOf": [{"uniqueItems": True, "minItems": i} for i in range(300)]}, \
        compact([text + str(i) for i in range(6)])


@case
def unique_of_zero_padded():
    """Long fractions whose digits are all zeros but the last."""
    return {"uniqueItems": True}, filled("[", lambda i: "0." + "0" * 800 + str(i + 1), "]")


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────

@case
def digits_100000():
    return {"items": {"minimum": 0, "multipleOf": 0.01}}, "[" + "7" * 100000 + "," + "7" * 100000 + "]"


@case
def digits_against_a_bound_of_as_many():
    bound = "7" * 100000
    text = '{"items":{"allOf":[' + ",".join(f'{{"minimum":{bound}}}' for _ in range(20)) + "]}}"
    return text, f"[{bound[:-1]}8,{bound[:-1]}9]"


@case
def zeros_before_the_digits():
    """200,000 zeros behind the point: the digits are few, the text is long."""
    return {"allOf": [{"minimum": 0, "maximum": i} for i in range(2000)]}, "0." + "0" * 200000 + "1"


@case
def zeros_before_the_digits_integer():
    return {"allOf": [{"type": "integer"} for _ in range(2000)]}, "0." + "0" * 200000 + "1"


@case
def zeros_before_the_digits_multiple():
    return {"allOf": [{"multipleOf": 0.1 + i} for i in range(2000)]}, "0." + "0" * 200000 + "1"


@case
def zeros_before_the_digits_equal():
    return {"allOf": [{"enum": [0, 0.5, None]} for _ in range(2000)]}, "0." + "0" * 200000 + "1"


@case
def digits_and_integers():
    return {"allOf": [{"type": "integer"} for _ in range(2000)]}, "1" * 200000 + ".5"


@case
def multiple_of_many_digits():
    return '{"items":{"multipleOf":' + "9" * 4600 + "}}", numbers("8" * 9000)


@case
def multiple_of_huge_exponents():
    return '{"items":{"multipleOf":1e-1000000000}}', numbers("1e1000000000")


@case
def multiple_of_3_with_huge_exponents():
    return '{"items":{"multipleOf":3e-1000}}', numbers("1e999999")


@case
def multiple_of_doubles():
    return {"items": {"allOf": [{"multipleOf": 0.01}, {"multipleOf": 0.001}]}}, numbers("0.07")


@case
def bounds_met_by_every_double():
    return {"items": {"allOf": [{"minimum": 0.1}, {"maximum": 0.1}]}}, numbers("0.1")


@case
def enum_of_doubles_that_tie():
    return '{"items":{"enum":[' + ",".join(f"0.1000000000000000{i:04}" for i in range(8)) + "]}}", \
        numbers("0.10000000000000009999")


# ── strings and texts ────────────────────────────────────────────────────────────────────────────

@case
def escapes_everywhere():
    return {"additionalProperties": {"maxLength": 3}}, filled("{", lambda i: f'"\\u00e9{i}":"\\ud83d\\ude00"', "}")


@case
def long_keys_looked_up():
    return {"properties": {"x" * 60000: {"type": "string"}}, "additionalProperties": False}, \
        filled("{", lambda i: '"' + "x" * (59999 - i) + f'{i % 10}":1', "}")


@case
def property_names_by_branches():
    return {"propertyNames": {"anyOf": [{"const": f"n{i}"} for i in range(300)] + [{"pattern": "^k"}]}}, \
        filled("{", lambda i: f'"k{i}":0', "}")


# ── both passes ──────────────────────────────────────────────────────────────────────────────────

@case
def fails_when_nearly_all_is_spent():
    """The first pass comes to the one bad item just before its budget ends; the second has to come there too."""
    head = '["' + "x" * (SIZE - 118010) + '",'
    return {"items": {"not": {"const": 2}}}, head + "1," * 58990 + "2]"


@case
def fails_in_the_middle_and_everywhere():
    """Half of the budget is spent before, and each item behind is a violation of its own."""
    head = '["' + "x" * (SIZE - 118010) + '",'
    return {"items": {"not": {"const": 2}}}, head + "1," * 30000 + ",".join(["2"] * 28990) + "]"


# ── large messages that somebody may well send ───────────────────────────────────────────────────

@honest
def honest_readings():
    """A gateway's batch: objects of twelve properties, each with a rule of its own."""
    item = {"type": "object", "additionalProperties": False, "properties": {
        "ts": {"type": "integer", "minimum": 0}, "seq": {"type": "integer", "minimum": 0},
        "id": {"type": "string", "format": "uuid"}, "machine": {"type": "string", "pattern": "^press-[0-9]{3}$"},
        "state": {"enum": ["running", "idle", "fault", "setup"]},
        "temperature": {"type": "number", "minimum": -50, "maximum": 400, "multipleOf": 0.1},
        "pressure": {"type": "number", "minimum": 0}, "unit": {"const": "C"},
        "operator": {"type": "string", "minLength": 1, "maxLength": 40},
        "at": {"type": "string", "format": "date-time"}, "good": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "maxItems": 8}}}
    item["required"] = list(item["properties"])
    return {"type": "array", "items": item}, filled("[", lambda i: compact({
        "ts": 1767225600000 + i, "seq": i, "id": f"01234567-89ab-4cde-8f01-{i:012x}", "machine": f"press-{i % 1000:03}",
        "state": ["running", "idle", "fault"][i % 3], "temperature": 180 + i % 600 / 10, "pressure": i / 8,
        "unit": "C", "operator": "Bärbel", "at": "2026-01-01T00:00:00.5Z", "good": True,
        "tags": ["a", "b", "c"]}), "]")


@honest
def honest_readings_of_kinds():
    """The same by oneOf: which of six kinds an item is."""
    kinds = [{"properties": {"kind": {"const": f"k{k}"}, "value": {"type": "number", "minimum": k},
                             "unit": {"enum": ["C", "bar", "mm"]}}, "required": ["kind", "value"]} for k in range(6)]
    return {"items": {"oneOf": kinds}}, filled("[", lambda i: compact(
        {"kind": f"k{i % 6}", "value": 10 + i / 4, "unit": "bar"}), "]")


@honest
def honest_series():
    """A wave form, nothing but numbers with a bound that some of them meet."""
    return {"items": {"type": "number", "minimum": -1, "maximum": 0.5}}, \
        filled("[", lambda i: str((i * 37 % 1500 - 1000) / 1000), "]")


@honest
def honest_series_by_steps():
    return {"items": {"type": "number", "multipleOf": 0.25}}, filled("[", lambda i: f"{100 + i % 64 / 4:.2f}", "]")


@honest
def honest_tags():
    """A whole plant in one object: names by a pattern, values by a schema, in no order."""
    return {"propertyNames": {"pattern": "^[A-Z]{2}[0-9]+/"}, "additionalProperties": {"type": "number", "maximum": 1e6}}, \
        filled("{", lambda i: f'"TI{i * 7919 % 100003}/pv":{i / 8}', "}")


@honest
def honest_tags_undeclared():
    """Three are declared, thousands come along."""
    return {"properties": {name: {"type": "number"} for name in ("a", "b", "c")}, "required": ["a"]}, \
        filled('{"a":1,', lambda i: f'"tag{i}":{i}', "}")


@honest
def honest_text():
    """One long text, by a pattern."""
    return {"type": "string", "pattern": "^[^<>]*$", "maxLength": 262144}, '"' + "wörter " * (SIZE // 8 - 1) + '"'


def write(folder):
    for name, make in CASES.items():
        schema, payload = make()
        schema = schema if isinstance(schema, str) else compact(schema)
        assert len(payload.encode()) <= SIZE, name
        (folder / f"{name}.schema.json").write_text(schema)
        (folder / f"{name}.payload").write_text(payload)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    write(target)
