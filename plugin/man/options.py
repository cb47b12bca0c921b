#!/usr/bin/env python3
"""Writes the options of schemas/config.schema.json into sluice.yaml.5.md, between its two marks.

options.py          rewrites the page
options.py --check  exit 1 when the page is not what the schema says
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "sluice.yaml.5.md"
SCHEMA = HERE.parent.parent / "schemas" / "config.schema.json"
BEGIN, END = "<!-- options: from schemas/config.schema.json by options.py -->\n", "<!-- end of options -->\n"


def resolve(schema, page):
    name = page.get("$ref", "").removeprefix("#/$defs/")
    return {**schema["$defs"][name], **page} if name else page


def kind(page):
    """What may be written, in a few words."""
    words = page.get("enum") or page.get("then", {}).get("enum")
    if words:
        texts = [f"`{json.dumps(word).strip(chr(34))}`" for word in words]
        return " \\| ".join(dict.fromkeys(texts))  # null and "null" are one word to a reader
    if "const" in page:
        return f"`{json.dumps(page['const'])}`"
    return page.get("title", "any value").split(":")[0]


def members(schema, page, path):
    """(path, page) of every option below `page`, in the order of the schema."""
    page = resolve(schema, page)
    required = page.get("required", [])
    for name, member in page.get("properties", {}).items():
        member = resolve(schema, member)
        if "description" not in member:  # the `type` of one kind of sink: told by `sink`
            continue
        yield path + name, member, name in required
        yield from members(schema, member, path + name + ".")
        for key, mark in (("items", "[]."), ("additionalProperties", ".NAME.")):
            if isinstance(member.get(key), dict):
                yield from members(schema, member[key], path + name + mark)
    yield from kinds(schema, page, path)


def kinds(schema, page, path):
    """Options that depend on the type: {"allOf": [{"if": … const TYPE …, "then": …}, …]}. What every type has
    comes first, once."""
    found = [(each["if"]["properties"]["type"]["const"], list(members(schema, each["then"], path)))
             for each in page.get("allOf", [])]
    if not found:
        return
    common = [option for option in found[0][1] if all(option in options for _, options in found)]
    yield from common
    for word, options in found:
        for name, member, needed in options:
            if (name, member, needed) not in common:
                yield f"{name} ({word})", member, needed


def render():
    schema = json.loads(SCHEMA.read_text())
    lines = []
    for path, page, needed in members(schema, schema, ""):
        path, mark, word = path.partition(" (")
        lines.append(f"`{path}`{mark}{word}{' (needed)' if needed else ''}\n")
        lines.append(f":   {kind(page)}. {page['description']}\n\n")
    return "".join(lines)


def main():
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    made = head + BEGIN + "\n" + render() + END + rest.split(END)[1]
    if "--check" not in sys.argv:
        PAGE.write_text(made)
    elif made != text:
        sys.exit("sluice.yaml.5.md is not what config.schema.json says: run plugin/man/options.py")


if __name__ == "__main__":
    main()
