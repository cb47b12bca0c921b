#!/usr/bin/env python3
"""An #include may only point down, and each third-party library lives in one file.

Two tables say what is allowed; every #include of the C rooms is held against them. Each breach is
printed as file:line. A file of the product over 500 lines is a breach too: a second noun moved in.
Exit 1 on a breach.

    tests/floors.py [FOLDER]
"""

import re
import sys
from pathlib import Path

# room: rooms (or single headers) it may include besides itself
ROOMS = {
    "base": [],
    "validation/payload": ["base"],
    "validation/json_schema": ["base", "validation/payload", "validation/verdict.h"],
    "validation/avro": ["base", "validation/payload"],
    "validation": ["base", "validation/payload", "validation/json_schema", "validation/avro"],
    "sinks/spool": ["base"],
    "sinks": ["base", "sinks/spool", "validation/payload", "validation/avro"],
    "plugin": ["base", "validation", "validation/payload", "validation/json_schema",
               "validation/avro", "sinks", "sinks/spool"],
    "plugin/cli": ["base", "validation", "validation/payload", "validation/json_schema",
                   "validation/avro", "sinks", "sinks/spool", "plugin"],
    "examples/factory": [],
}

# header: the files (or whole rooms) that may know it
THIRD_PARTY = {
    r"mosquitto.*\.h|mqtt_protocol\.h": ["plugin/broker.c", "examples/factory"],
    r"yyjson\.h": ["validation/payload/json.c"],
    r"pcre2.*\.h": ["validation/json_schema/regex.c"],
    r"idn2\.h": ["validation/json_schema/format_idn.c"],
    r"avro\.h": ["validation/avro/second_opinion.c"],
    r"yaml\.h": ["base/yaml.c"],
    r"jansson.*\.h": ["plugin/status.c", "plugin/cli", "sinks/registry_reply.c",
                         "sinks/registry_whole.c"],
    r"(librdkafka/)?rdkafka.*\.h": ["sinks/kafka.c"],
    r"(postgresql/)?libpq.*\.h": ["sinks/postgresql.c"],
    r"curl/.*\.h": ["sinks/registry_http.c"],
    r"zlib\.h": ["sinks/deflate.c"],
    r"zstd.*\.h": ["sinks/zstandard.c"],
    r"idn2\.h": ["validation/json_schema/format_idn.c"],
}

LIBC = set("""
    assert ctype dirent dlfcn errno fcntl float inttypes limits locale math poll pthread pwd grp sched
    setjmp signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings
    syslog time unistd wchar fnmatch getopt glob ftw malloc semaphore termios threads endian byteswap
    arm_acle arm_neon immintrin nmmintrin smmintrin cpuid
""".split())
LIBC_FOLDERS = ("sys/", "linux/", "netinet/", "arpa/", "asm/")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LONG = 500


def room_of(path):
    """The innermost room a path lies in."""
    folder = str(Path(path).parent)
    while folder not in ROOMS:
        if folder in (".", ""):
            return None
        folder = str(Path(folder).parent)
    return folder


def sole_third_party_file(header):
    for pattern, places in THIRD_PARTY.items():
        if re.fullmatch(pattern, header):
            return places
    return None


def breach_of_quoted(file, header):
    mine, theirs = room_of(file), room_of(header)
    if theirs is None:
        return f'"{header}" is in no room: write it from the top of the tree'
    if theirs == mine or theirs in ROOMS[mine] or header in ROOMS[mine]:
        return None
    return f'"{header}": {mine} may not look into {theirs}'


def breach_of_angled(file, header):
    places = sole_third_party_file(header)
    if places is not None:
        if file in places or room_of(file) in places:
            return None
        return f"<{header}> lives in {' and '.join(places)} only"
    if header.removesuffix(".h") in LIBC or header.startswith(LIBC_FOLDERS):
        return None
    return f"<{header}> is in neither table of tests/floors.py"


def breaches(root, file):
    for number, line in enumerate((root / file).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        check = breach_of_quoted if match[1] == '"' else breach_of_angled
        why = check(file, match[2])
        if why:
            yield f"{file}:{number}: {why}"
    lines = len((root / file).read_text(encoding="utf-8").splitlines())
    if lines > LONG:
        yield f"{file}:{LONG + 1}: {lines} lines, {LONG} are allowed: did a second noun move in?"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    files = sorted(str(path.relative_to(root)) for room in ROOMS if (root / room).is_dir()
                   for path in (root / room).iterdir() if path.suffix in (".c", ".h"))
    found = [breach for file in files for breach in breaches(root, file)]
    for breach in found:
        print(breach)
    print(f"floors: {len(files)} files, {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
