"""The client by itself (registry_drive): every question of registry.h, with and without the cache."""

import json
import subprocess

PRESS = {"type": "record", "name": "Press", "namespace": "plant",
         "fields": [{"name": "bar", "type": "double"}]}
WIDER = {**PRESS, "fields": PRESS["fields"] + [{"name": "oil", "type": "double", "default": 0}]}
# Apicurio wants to be told that it is one.
JSON_SCHEMA = '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","maximum":1.10}'
OTHER = {**PRESS, "fields": [{"name": "bar", "type": "string"}]}


def drive(place, url, *words, cache="-", register=0):
    done = subprocess.run([place.build / "tests" / "registry_drive", url, str(cache), str(register),
                           *map(str, words)], capture_output=True, text=True, timeout=60)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done.stdout.rstrip("\n")


def expect(said, wanted):
    assert said == wanted if not wanted.endswith("…") else said.startswith(wanted[:-1]), \
        f"said {said!r} and not {wanted!r}"


def test_a_schema_is_found_by_id_version_and_latest(place):
    registry = place.registry()
    text = json.dumps(PRESS)
    wanted = registry.register("press-value", text)
    expect(drive(place, registry.url, "reach"), "ok")
    expect(drive(place, registry.url, "id", wanted), f"schema {wanted} - 0 AVRO {text}")
    for version in ("1", "latest"):
        expect(drive(place, registry.url, "version", "press-value", version),
               f"schema {wanted} press-value 1 AVRO {text}")


def test_what_is_not_there_is_said(place):
    url = place.registry().url
    expect(drive(place, url, "id", 4000000), "error 3 …")
    expect(drive(place, url, "version", "nothing", "latest"), "error 3 …")
    expect(drive(place, url, "version", "nothing", "1"), "error 3 …")
    expect(drive(place, url, "idof", "nothing", "AVRO", json.dumps(PRESS)), "error 3 …")
    expect(drive(place, url.replace("/apis/ccompat/v7", "/nowhere"), "reach"), "error 8 …")


def test_a_schema_is_registered_and_looked_up(place):
    registry = place.registry()
    for kind, text in (("AVRO", json.dumps(PRESS)), ("JSON", JSON_SCHEMA)):
        subject = f"register-{kind}"
        expect(drive(place, registry.url, "idof", subject, kind, text), "error 3 …")
        said = drive(place, registry.url, "idof", subject, kind, text, register=1)
        expect(said, "id …")
        found = registry.ask("GET", f"/subjects/{subject}/versions/latest")
        expect(said, f"id {found['id']}")
        assert found.get("schemaType", "AVRO") == kind and found["schema"] == text, found
        expect(drive(place, registry.url, "idof", subject, kind, text), said)
        expect(drive(place, registry.url, "idof", subject, kind, text, register=1), said)
    expect(drive(place, registry.url, "idof", "nonsense", "AVRO", "{", register=1), "error 1 …")


def test_compatibility_is_the_registrys_word(place):
    registry = place.registry()
    ask = lambda schema: drive(place, registry.url, "compatible", "compat-value", "AVRO",
                               json.dumps(schema))
    expect(ask(OTHER), "compatible")
    registry.register("compat-value", PRESS)
    expect(ask(WIDER), "compatible")
    expect(ask(OTHER), "incompatible …")
    expect(drive(place, registry.url, "idof", "compat-value", "AVRO", json.dumps(OTHER),
                 register=1), "error 1 …")


def test_references_come_with_the_schema(place):
    registry = place.registry()
    registry.register("plant.Unit", {"type": "enum", "name": "Unit", "namespace": "plant",
                                     "symbols": ["BAR", "PSI"]})
    outer = {"type": "record", "name": "Reading", "namespace": "plant",
             "fields": [{"name": "unit", "type": "plant.Unit"}]}
    wanted = registry.register("reading-value", outer, references=[
        {"name": "plant.Unit", "subject": "plant.Unit", "version": 1}])
    for question in (("id", wanted), ("version", "reading-value", "latest")):
        first, second = drive(place, registry.url, *question).split("\n")
        expect(first, f"schema {wanted} …")
        expect(second, "reference plant.Unit plant.Unit 1 …")


def test_what_is_kept_is_there_without_the_registry(place):
    registry = place.registry()
    cache = place.folder / "cache"
    wanted = registry.register("kept-value", PRESS)
    questions = [("id", wanted), ("version", "kept-value", 1),
                 ("idof", "kept-value", "AVRO", json.dumps(PRESS))]
    said = [drive(place, registry.url, *question, cache=cache) for question in questions]
    registry.stop()
    try:
        again = [drive(place, registry.url, *question, cache=cache) for question in questions]
        assert said == again, (said, again)
        expect(drive(place, registry.url, *questions[0]), "error 4 …")
    finally:
        place.stop()


def test_only_who_is_let_in_is_answered(place):
    registry = place.registry("closed", user="sluice:sesame")
    wanted = registry.register("closed-value", PRESS)
    expect(drive(place, registry.url, "-u", "sluice:sesame", "id", wanted), f"schema {wanted} …")
    for who in ([], ["-u", "sluice:wrong"], ["-t", "sesame"]):
        said = drive(place, registry.url, *who, "id", wanted)
        expect(said, "error 9 …")
        assert "sesame" not in said and "wrong" not in said, said
    place.running.pop("closed").stop()


def certificate(folder, name, subject):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={subject}", "-addext", f"subjectAltName=IP:{subject}", "-keyout",
                    folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True,
                   capture_output=True)
    return folder / f"{name}.pem", folder / f"{name}.key"


def test_tls_is_believed_only_where_ca_file_says_so(place):
    right = certificate(place.folder, "right", "127.0.0.1")
    other = certificate(place.folder, "other", "127.0.0.1")
    registry = place.registry("tls", tls=right)
    expect(drive(place, registry.url, "-c", right[0], "reach"), "ok")
    expect(drive(place, registry.url, "-c", other[0], "reach"), "error 4 …")
    expect(drive(place, registry.url, "reach"), "error 4 …")
    expect(drive(place, registry.url.replace("127.0.0.1", "localhost"), "-c", right[0], "reach"),
           "error 4 …")
    place.running.pop("tls").stop()
