"""What came out: the file sink's files, status.json, the spool, and whether they keep their promises."""

import gzip
import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import container
import places

NAME = re.compile(r"^(?P<sink>.+?)-(?P<instance>.+)-(?P<first>\d{20})-(?P<last>\d{20})(-\d+)?\.(jsonl(\.gz)?|avro)$")
OPEN_NAME = re.compile(r"^\.(?P<sink>.+?)-(?P<instance>.+)-(?P<first>\d{20})\.(jsonl|avro)\.inprogress$")
FOLDER = re.compile(r"dt=\d{4}-\d\d-\d\d/hour=\d\d$")


class Broken(AssertionError):
    """A promise about the output is not kept."""


class LakeFile:
    """One file of the file sink, read whole. `records` in the order of the lines."""

    def __init__(self, path, exact):
        self.path, self.open = path, path.name.endswith(".inprogress")
        match = (OPEN_NAME if self.open else NAME).match(path.name)
        if not match:
            raise Broken(f"{path}: not a name that the file sink gives")
        if not FOLDER.search(str(path.parent)):
            raise Broken(f"{path}: not in a dt=…/hour=… folder")
        self.first = int(match["first"])
        self.last = None if self.open else int(match["last"])
        self.records = self._container() if ".avro" in path.suffixes else self._lines(exact)
        self._check()

    def _container(self):
        return [] if self.open else container.records(self.path)

    def _lines(self, exact):
        path = self.path
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if self.open:
            data = data[:data.rfind(b"\n") + 1]  # a line under way is nobody's yet
        elif not data.endswith(b"\n"):
            raise Broken(f"{path}: torn: does not end with a newline")
        number = {"parse_float": str, "parse_int": str} if exact else {}
        return [json.loads(line, **number) for line in data.splitlines()]

    def _check(self):
        seqs = [int(record["seq"]) for record in self.records]
        if any(b <= a for a, b in zip(seqs, seqs[1:])):
            raise Broken(f"{self.path}: seq does not ascend")
        if not self.open and (not seqs or seqs[0] != self.first or seqs[-1] != self.last):
            raise Broken(f"{self.path}: holds {seqs[:1]}…{seqs[-1:]}, its name says otherwise")


def is_state(folder, path):
    """`.<sink>-<instance>.state`: what the sink itself must not forget."""
    return path.parent == folder and path.name.startswith(".") and path.suffix == ".state"


def lake_files(folder, exact=False):
    """Every file of a sink's folder, in the order of their first seq."""
    folder = Path(folder)
    paths = [p for p in folder.rglob("*") if p.is_file() and not is_state(folder, p)]
    return sorted((LakeFile(path, exact) for path in paths), key=lambda file: file.first)


def lake(folder, exact=False):
    """Every record in a sink's folder, in order; no id twice, ids ascend over all files."""
    files = lake_files(folder, exact)
    for before, after in zip(files, files[1:]):
        if before.last is None or before.last >= after.first:
            raise Broken(f"{before.path.name} and {after.path.name} overlap")
    records = [record for file in files for record in file.records]
    ids = {record["id"] for record in records}
    if len(ids) != len(records):
        raise Broken(f"{len(records) - len(ids)} records are there twice")
    return records


def nothing_open(folder):
    """After a clean stop every file has its final name."""
    folder = Path(folder)
    left = [path for path in folder.rglob(".*") if path.is_file() and not is_state(folder, path)]
    if left:
        raise Broken(f"left behind after a clean stop: {left}")


def run(arguments, **options):
    """The sluice program. Returns the finished process."""
    return subprocess.run([str(places.sluice()), *map(str, arguments)], capture_output=True,
                          text=True, timeout=120, check=False, **options)


def spool_dump(data_dir):
    done = run(["spool", data_dir, "dump"])
    if done.returncode != 0:
        raise Broken(f"sluice spool dump: {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def spool_verify(data_dir):
    done = run(["spool", data_dir, "verify"])
    if done.returncode != 0:
        raise Broken(f"sluice spool verify: {done.returncode}: {done.stdout}{done.stderr}")


def validate(schema, documents, folder):
    """Every document against a schema of schemas/, by our own validator. All at once."""
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    files = []
    for i, document in enumerate(documents):
        path = folder / f"{i}.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        files.append(path)
    if not files:
        raise Broken("nothing to validate")
    done = run(["validate", places.ROOT / "schemas" / schema, *files])
    if done.returncode != 0:
        raise Broken(f"not valid by {schema}: {done.stdout[-3000:]}{done.stderr[-1000:]}")


OUTCOMES = ("passed", "accepted", "rerouted", "dropped", "refused", "disconnected")


def identities(status):
    """In every snapshot nothing is unaccounted for."""
    messages = status["messages"]
    total = sum(messages[name] for name in OUTCOMES)
    if messages["received"] != total:
        raise Broken(f"received {messages['received']} is not the sum {total}: {messages}")
    for name, sink in status["sinks"].items():
        came = sink["spooled_at_start"] + sink["routed"]
        went = sum(sink[key] for key in
                   ("delivered", "dead_lettered", "discarded", "corrupt", "spooled"))
        if came != went:
            raise Broken(f"sink {name}: {came} in, {went} out: {sink}")


def counted(status, **expected):
    """messages.* as expected; those not named must be 0 (received is their sum)."""
    identities(status)
    wanted = {name: expected.get(name, 0) for name in OUTCOMES}
    wanted["received"] = sum(wanted.values())
    got = {name: status["messages"][name] for name in wanted}
    if got != wanted:
        raise Broken(f"counted {got}, expected {wanted}")


def ascending_by_topic(records, number):
    """number(record) ascends strictly within each topic."""
    last = defaultdict(lambda: -1)
    for record in records:
        n = number(record)
        if n <= last[record["topic"]]:
            raise Broken(f"{record['topic']}: {n} after {last[record['topic']]}")
        last[record["topic"]] = n
