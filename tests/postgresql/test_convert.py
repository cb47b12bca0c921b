"""Every kind of value into every type of column, read back by SELECT."""

import json
import uuid

from cluster import Drive

TYPES = ["text", "boolean", "smallint", "integer", "bigint", "real", "float8", "numeric", "timestamptz",
         "jsonb", "bytea", "uuid"]
SPOOL_ID = bytes(range(0x10, 0x20))
NO = "column.type"


def record_id(seq):
    """UUIDv8 of the spool's first half and the record's number."""
    head = bytearray(SPOOL_ID[:8])
    head[6] = 0x80 | head[6] & 0x0F
    return str(uuid.UUID(bytes=bytes(head) + (0x8000000000000000 | seq).to_bytes(8, "big")))


# JSON text of the value: what SELECT shows for each type that takes it; the other types refuse it
MATRIX = {
    "null": dict.fromkeys(TYPES, None),
    "true": dict(text="true", boolean="true", smallint="1", integer="1", bigint="1", real="1", float8="1",
                 numeric="1", jsonb="true"),
    "false": dict(text="false", boolean="false", smallint="0", integer="0", bigint="0", real="0", float8="0",
                  numeric="0", jsonb="false"),
    "0": dict(text="0", boolean="false", smallint="0", integer="0", bigint="0", real="0", float8="0",
              numeric="0", timestamptz="1970-01-01 00:00:00+00", jsonb="0"),
    "1": dict(text="1", boolean="true", smallint="1", integer="1", bigint="1", real="1", float8="1",
              numeric="1", timestamptz="1970-01-01 00:00:00.001+00", jsonb="1"),
    "-7": dict(text="-7", smallint="-7", integer="-7", bigint="-7", real="-7", float8="-7", numeric="-7",
               timestamptz="1969-12-31 23:59:59.993+00", jsonb="-7"),
    "5.0": dict(text="5.0", smallint="5", integer="5", bigint="5", real="5", float8="5", numeric="5.0",
                timestamptz="1970-01-01 00:00:00.005+00", jsonb="5.0"),
    "1e2": dict(text="1e2", smallint="100", integer="100", bigint="100", real="100", float8="100",
                numeric="100", timestamptz="1970-01-01 00:00:00.1+00", jsonb="100"),
    "20.50": dict(text="20.50", real="20.5", float8="20.5", numeric="20.50",
                  timestamptz="1970-01-01 00:00:00.0205+00", jsonb="20.50"),
    "-0.0009": dict(text="-0.0009", real="-0.0009", float8="-0.0009", numeric="-0.0009",
                    timestamptz="1969-12-31 23:59:59.999999+00", jsonb="-0.0009"),
    "32767": dict(text="32767", smallint="32767", integer="32767", bigint="32767", real="32767",
                  float8="32767", numeric="32767", timestamptz="1970-01-01 00:00:32.767+00",
                  jsonb="32767"),
    "-32769": dict(text="-32769", integer="-32769", bigint="-32769", real="-32769", float8="-32769",
                   numeric="-32769", timestamptz="1969-12-31 23:59:27.231+00", jsonb="-32769"),
    "2147483648": dict(text="2147483648", bigint="2147483648", real="2.1474836e+09",
                       float8="2147483648", numeric="2147483648",
                       timestamptz="1970-01-25 20:31:23.648+00", jsonb="2147483648"),
    "1767225600123": dict(text="1767225600123", bigint="1767225600123", real="1.7672256e+12",
                          float8="1767225600123", numeric="1767225600123",
                          timestamptz="2026-01-01 00:00:00.123+00", jsonb="1767225600123"),
    "9223372036854775807": dict(text="9223372036854775807", bigint="9223372036854775807",
                                real="9.223372e+18", float8="9.223372036854776e+18",
                                numeric="9223372036854775807", jsonb="9223372036854775807"),
    "-9223372036854775808": dict(text="-9223372036854775808", bigint="-9223372036854775808",
                                 real="-9.223372e+18", float8="-9.223372036854776e+18",
                                 numeric="-9223372036854775808", jsonb="-9223372036854775808"),
    "9223372036854775808": dict(text="9223372036854775808", real="9.223372e+18",
                                float8="9.223372036854776e+18", numeric="9223372036854775808",
                                jsonb="9223372036854775808"),
    "123456789012345678901234567890.123456789012345678901234567890": dict(
        text="123456789012345678901234567890.123456789012345678901234567890", real="1.2345679e+29",
        float8="1.2345678901234568e+29",
        numeric="123456789012345678901234567890.123456789012345678901234567890",
        jsonb="123456789012345678901234567890.123456789012345678901234567890"),
    "0.1000000000000000055511151231257827": dict(
        text="0.1000000000000000055511151231257827", real="0.1", float8="0.1",
        numeric="0.1000000000000000055511151231257827",
        timestamptz="1970-01-01 00:00:00.0001+00", jsonb="0.1000000000000000055511151231257827"),
    # A float made of the double would be 1: that is just the middle between it and the next float.
    "1.00000005960464477539062500001": dict(
        text="1.00000005960464477539062500001", real="1.0000001", float8="1.0000000596046448",
        numeric="1.00000005960464477539062500001", timestamptz="1970-01-01 00:00:00.001+00",
        jsonb="1.00000005960464477539062500001"),
    "-3.5e-42": dict(text="-3.5e-42", real="-3.5e-42", float8="-3.5e-42",
                     numeric="-0." + "0" * 41 + "35", timestamptz="1969-12-31 23:59:59.999999+00",
                     jsonb="-0." + "0" * 41 + "35"),
    "1e400": dict(text="1e400", numeric="1" + "0" * 400, jsonb="1" + "0" * 400),
    "1e39": dict(text="1e39", float8="1e+39", numeric="1" + "0" * 39, jsonb="1" + "0" * 39),
    "1e200000": dict(text="1e200000"),
    '"plain"': dict(text="plain", bytea="\\x706c61696e", jsonb='"plain"'),
    '""': dict(text="", bytea="\\x", jsonb='""'),
    '"\\u0000"': dict(bytea="\\x00"),
    '"Zürich \\\\ \\t\\" ✓"': dict(
        text='Zürich \\ \t" ✓', bytea="\\x" + 'Zürich \\ \t" ✓'.encode().hex(),
        jsonb='"Zürich \\\\ \\t\\" ✓"'),
    '"on"': dict(text="on", boolean="true", bytea="\\x6f6e", jsonb='"on"'),
    '" 23.5 "': dict(text=" 23.5 ", real="23.5", float8="23.5", numeric="23.5",
                     bytea="\\x2032332e3520", jsonb='" 23.5 "'),
    '"+12"': dict(text="+12", smallint="12", integer="12", bigint="12", real="12", float8="12",
                  numeric="12", bytea="\\x2b3132", jsonb='"+12"'),
    '"NaN"': dict(text="NaN", real="NaN", float8="NaN", numeric="NaN", bytea="\\x4e614e", jsonb='"NaN"'),
    '"-Infinity"': dict(text="-Infinity", real="-Infinity", float8="-Infinity", numeric="-Infinity",
                        bytea="\\x" + b"-Infinity".hex(), jsonb='"-Infinity"'),
    '"2026-11-21T02:03:04.123456789+01:00"': dict(
        text="2026-11-21T02:03:04.123456789+01:00", timestamptz="2026-11-21 01:03:04.123456+00",
        bytea="\\x" + b"2026-11-21T02:03:04.123456789+01:00".hex(),
        jsonb='"2026-11-21T02:03:04.123456789+01:00"'),
    '"9999-12-31T23:59:59Z"': dict(
        text="9999-12-31T23:59:59Z", timestamptz="9999-12-31 23:59:59+00",
        bytea="\\x" + b"9999-12-31T23:59:59Z".hex(), jsonb='"9999-12-31T23:59:59Z"'),
    '"0001-01-01T00:00:00Z"': dict(
        text="0001-01-01T00:00:00Z", timestamptz="0001-01-01 00:00:00+00",
        bytea="\\x" + b"0001-01-01T00:00:00Z".hex(), jsonb='"0001-01-01T00:00:00Z"'),
    '"6BA7B810-9dad-11d1-80b4-00c04fd430c8"': dict(
        text="6BA7B810-9dad-11d1-80b4-00c04fd430c8", uuid="6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        bytea="\\x" + b"6BA7B810-9dad-11d1-80b4-00c04fd430c8".hex(),
        jsonb='"6BA7B810-9dad-11d1-80b4-00c04fd430c8"'),
    '"6ba7b8109dad11d180b400c04fd430c8"': dict(
        text="6ba7b8109dad11d180b400c04fd430c8", uuid="6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        bytea="\\x" + b"6ba7b8109dad11d180b400c04fd430c8".hex(),
        jsonb='"6ba7b8109dad11d180b400c04fd430c8"'),
    '[1,2.50,"x",null,{"a":[]}]': dict(text='[1,2.50,"x",null,{"a":[]}]',
                                       jsonb='[1, 2.50, "x", null, {"a": []}]'),
    '{"b":{"c":9007199254740993.0},"d":[{},[]]}': dict(
        text='{"b":{"c":9007199254740993.0},"d":[{},[]]}',
        jsonb='{"b": {"c": 9007199254740993.0}, "d": [{}, []]}'),
    '{"k\\u0000":1}': dict(text='{"k\\u0000":1}'),
    '{"k":1e140000}': dict(text='{"k":1e140000}'),
    '{"k":"1e140000 \\\\u0000"}': dict(text='{"k":"1e140000 \\\\u0000"}',
                                      jsonb='{"k": "1e140000 \\\\u0000"}'),
}


def shown(server, database, table, column):
    """{seq: what SELECT shows}; NULL is None. seq is found by the record's id."""
    rows = server.sql("SET timezone = 'UTC'; SET bytea_output = hex; SELECT sluice_id, "
                      f"coalesce(translate({column}::text, E'\\n', '|'), '<null>') FROM {table}",
                      database)
    return {row[0]: None if row[1] == "<null>" else row[1] for row in rows}


def test_each_json_value_into_each_type(server):
    database = server.database()
    texts = list(MATRIX)
    records = [{"topic": "t", "payload": '{"v":%s}' % text} for text in texts]
    wrong = []
    for kind in TYPES:
        section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
                   "layout": "columns", "table": f"as_{kind}",
                   "columns": {"v": {"from": "/v", "type": kind}}}
        with Drive(section, name=f"s{kind}") as drive:
            drive.records(records)
            state = drive.ask("run 30000 1000")
            assert state["cursor"] == len(texts), state
            rows, letters = shown(server, database, f"as_{kind}", "v"), drive.letters()
        for seq, text in enumerate(texts, 1):
            expected = MATRIX[text].get(kind, NO)
            got = letters[seq][0] if seq in letters else rows.get(record_id(seq), "lost")
            if seq in letters and record_id(seq) in rows:
                got = "both a row and a dead letter"
            if got != expected:
                wrong.append(f"{text[:60]} as {kind}: {str(got)[:60]!r}, not {str(expected)[:60]!r}")
    assert not wrong, "\n".join(wrong)


def test_on_error_null_and_absent_values(server):
    database = server.database()
    section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
               "layout": "columns", "table": "t",
               "columns": {"a": {"from": "/a", "type": "smallint", "on_error": None},  # YAML's null
                           "b": {"from": "/b/c", "type": "text"},
                           "l": {"from": "{nowhere}", "type": "text", "on_error": "null"}}}
    with Drive(section) as drive:
        drive.records([{"topic": "t", "payload": '{"a":70000,"b":{"c":"x"}}'},
                       {"topic": "t", "payload": '{"a":7,"b":[1]}'},
                       {"topic": "t", "payload": "[]"}])
        assert drive.ask("run 30000 10")["cursor"] == 3
        assert drive.letters() == {}
    rows = server.sql("SELECT coalesce(a::text,'-'), coalesce(b,'-'), coalesce(l,'-') FROM t "
                      "ORDER BY sluice_id", database)
    assert rows == [["-", "x", "-"], ["7", "-", "-"], ["-", "-", "-"]], rows


def test_sources_levels_and_units(server):
    database = server.database()
    columns = {
        "site": {"from": "{site}", "type": "text"}, "oven": {"from": "{oven}", "type": "integer"},
        "topic": {"from": "${topic}", "type": "text"}, "client": {"from": "${client_id}", "type": "text"},
        "who": {"from": "${username}", "type": "text"}, "policy": {"from": "${policy}", "type": "text"},
        "instance": {"from": "${instance}", "type": "text"}, "id": {"from": "${id}", "type": "uuid"},
        "got": {"from": "${received_at}", "type": "timestamptz"},
        "event": {"from": "${event_at}", "type": "timestamptz"},
        "event_s": {"from": "${event_at}", "type": "bigint", "unit": "s"},
        "event_ns": {"from": "${event_at}", "type": "numeric", "unit": "ns"},
        "qos": {"from": "${qos}", "type": "smallint"}, "kept": {"from": "${retain}", "type": "boolean"},
        "quality": {"from": "${quality}", "type": "integer"},
        "whole": {"from": "${payload}", "type": "jsonb"}, "raw": {"from": "${payload}", "type": "bytea"},
        "s": {"from": "/s", "type": "timestamptz", "unit": "s"},
        "us": {"from": "/us", "type": "timestamptz", "unit": "us"},
        "ns": {"from": "/ns", "type": "timestamptz", "unit": "ns"},
    }
    section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
               "layout": "columns", "table": 'public."Odd ""Table"""', "columns": columns,
               "policies": [{"id": "ovens", "topics": ["plant/{site}/oven/{oven}/temperature",
                                                       "line/{oven}/{rest#}"]}]}
    payload = '{"s":1767225600.25,"us":1767225600123456,"ns":1767225600123456789}'
    with Drive(section) as drive:
        drive.records([
            {"topic": "plant/a b/oven/7/temperature", "payload": payload, "username": "u",
             "client_id": "c", "retain": 1, "event_ns": 1767225600999999999, "quality": 64},
            {"topic": "line/8/x/y", "payload": payload},
            {"topic": "elsewhere", "payload": payload}])
        assert drive.ask("run 30000 10")["cursor"] == 3
        letters = drive.letters()
        # the second filter has no {site}; no filter of the policy owns the third topic
        assert {seq: letter[0] for seq, letter in letters.items()} == {
            2: "template.unresolved", 3: "template.unresolved"}, letters
    row = server.sql("SET timezone='UTC'; SELECT * FROM \"Odd \"\"Table\"\"\"", database)[0]
    assert row == [
        record_id(1), "a b", "7", "plant/a b/oven/7/temperature", "c", "u", "ovens", "plant1-edge",
        record_id(1), "2026-01-01 00:00:00.124456+00", "2026-01-01 00:00:00.999999+00", "1767225600",
        "1767225600999999999", "1", "t", "64",
        '{"s": 1767225600.25, "ns": 1767225600123456789, "us": 1767225600123456}',
        "\\x" + payload.encode().hex(), "2026-01-01 00:00:00.25+00", "2026-01-01 00:00:00.123456+00",
        "2026-01-01 00:00:00.123456+00"], row


def test_layout_messages_keeps_everything(server):
    database = server.database()
    section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True}
    records = [
        {"topic": "a", "payload": '{"x": 1.10}', "client_id": "c", "username": "u",
         "properties": [["k", "v"], ["k", "Zürich \""]]},
        {"topic": "b", "payload": "23.50", "format": "number", "schema": 0},
        {"topic": "c", "payload": "on", "format": "boolean", "kind": 2, "policy": 2},
        {"topic": "d", "payload": "hello", "format": "string", "kind": 3},
        {"topic": "e", "payload": "\u0001raw", "format": "bytes"},
        {"topic": "f", "payload": '{"nul":"\\u0000"}'},
        {"topic": "g", "payload": '{"big":1e200000}'},
        {"topic": "h", "payload": "null"},
    ]
    with Drive(section) as drive:
        drive.records(records)
        assert drive.ask("run 30000 100")["cursor"] == len(records)
        assert drive.letters() == {}
    rows = server.sql("SELECT topic, kind, coalesce(client_id,'-'), coalesce(username,'-'), policy,"
                      " coalesce(schema,'-'), quality, instance, coalesce(user_properties::text,'-'),"
                      " coalesce(payload::text,'-'), coalesce(payload_raw::text,'-'), id"
                      " FROM sluice.messages ORDER BY topic", database)
    assert [row[:11] for row in rows] == [
        ["a", "message", "c", "u", "ovens", "oven:1", "192", "plant1-edge",
         '[["k", "v"], ["k", "Zürich \\""]]', '{"x": 1.10}', "-"],
        ["b", "message", "-", "-", "ovens", "-", "192", "plant1-edge", "-", "23.50", "-"],
        ["c", "violation", "-", "-", "others", "oven:1", "192", "plant1-edge", "-", "true", "-"],
        ["d", "alarm", "-", "-", "ovens", "oven:1", "192", "plant1-edge", "-", '"hello"', "-"],
        ["e", "message", "-", "-", "ovens", "oven:1", "192", "plant1-edge", "-", "-", "\\x01726177"],
        ["f", "message", "-", "-", "ovens", "oven:1", "192", "plant1-edge", "-", "-",
         "\\x" + records[5]["payload"].encode().hex()],
        ["g", "message", "-", "-", "ovens", "oven:1", "192", "plant1-edge", "-", "-",
         "\\x" + records[6]["payload"].encode().hex()],
        ["h", "message", "-", "-", "ovens", "oven:1", "192", "plant1-edge", "-", "null", "-"]], rows
    assert [row[11] for row in rows] == [record_id(seq) for seq in range(1, 9)]


def narrow(server, database, records, **options):
    section = {"type": "postgresql", "conninfo": server.conninfo(database), "create": True,
               "layout": "narrow", "policies": [{"id": "ovens", "topics": ["#"],
                                                 "timestamp": {"field": "/t~1s"}}], **options}
    server.sql("DROP TABLE IF EXISTS sluice.samples; DROP TABLE IF EXISTS sluice.progress", database)
    with Drive(section) as drive:
        drive.records(records)
        assert drive.ask("run 30000 100")["cursor"] == len(records)
        letters = drive.letters()
    assert all("values:  is" not in letter[1] for letter in letters.values()), letters
    rows = server.sql("SELECT tag, coalesce(value::text,'-'), coalesce(text,'-'), quality FROM "
                      "sluice.samples ORDER BY id, tag", database)
    return rows, {seq: letter[0] for seq, letter in letters.items()}


def test_layout_narrow(server):
    database = server.database()
    payload = '{"t/s":1,"a":1.5,"b~":true,"c":"txt","d":null,"e":{"f":2},"g":false}'
    rows, letters = narrow(server, database, [{"topic": "p/q", "payload": payload},
                                              {"topic": "n", "payload": "7", "format": "number"},
                                              {"topic": "s", "payload": "x", "format": "string"},
                                              {"topic": "z", "payload": "x", "format": "bytes"},
                                              {"topic": "r", "payload": '[3,[4],"v"]'},
                                              {"topic": "o", "payload": '{"v":1e400}'},
                                              {"topic": "y", "payload": '{}'}])
    assert rows == [["p/q/a", "1.5", "-", "192"], ["p/q/b~0", "1", "-", "192"],
                    ["p/q/c", "-", "txt", "192"], ["p/q/g", "0", "-", "192"], ["n", "7", "-", "192"],
                    ["s", "-", "x", "192"], ["r/0", "3", "-", "192"], ["r/2", "-", "v", "192"]], rows
    assert letters == {4: NO, 6: NO}, letters
    rows, letters = narrow(server, database, [{"topic": "p", "payload": payload}], values=["/e/f"])
    assert (rows, letters) == ([["p", "2", "-", "192"]], {}), rows
    rows, letters = narrow(server, database, [{"topic": "p", "payload": payload}], values=["/e"])
    assert (rows, letters) == ([], {1: NO}), (rows, letters)
    rows, letters = narrow(server, database,
                           [{"topic": "p", "payload": payload}, {"topic": "p", "payload": '{"a":[]}'},
                            {"topic": "p", "payload": '{"z":0}'}], values=["/a", "/e/f"])
    assert (rows, letters) == ([["p/a", "1.5", "-", "192"], ["p/e/f", "2", "-", "192"]], {2: NO}), rows


def test_a_record_that_becomes_too_many_bytes_is_set_aside(server):
    database = server.database()
    many = json.dumps({f"k{i}": i for i in range(40000)})
    rows, letters = narrow(server, database, [{"topic": "t" * 60000, "payload": many},
                                              {"topic": "t", "payload": '{"v":1}'}])
    assert letters == {1: "record.too_large"}, letters
    assert rows == [["t/v", "1", "-", "192"]], rows
