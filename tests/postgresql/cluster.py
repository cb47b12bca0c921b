"""A private PostgreSQL cluster, and the driver of the sink, for tests.

The cluster lives in a temporary folder, listens on a Unix socket there and on a free port of 127.0.0.1,
and runs as an ordinary user (`postgres` when the tests run as root). Nothing is waited for by sleeping:
`pg_ctl -w` waits for the server, `until()` asks again as long as a condition does not hold.
"""

import atexit
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DEADLINE = 60  # seconds that a condition may take before it counts as failed


def programs():
    """The folder of the newest installed server."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"),
                   key=lambda path: int(path.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    initdb = shutil.which("initdb")
    return os.path.dirname(initdb) if initdb else None


def until(what, condition, seconds=DEADLINE):
    """Ask `condition` until it gives something true; return that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)  # between two questions, not instead of one
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    def __init__(self, settings=""):
        self.bin = programs()
        self.folder = tempfile.mkdtemp(prefix="slu-pg-")
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.port = free_port()
        self.n_databases = 0
        self.as_user = []
        if os.geteuid() == 0:
            os.chmod(self.folder, 0o755)
            shutil.chown(self.folder, "postgres", "postgres")
            self.as_user = ["runuser", "-u", "postgres", "--"]
        atexit.register(self.close)
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8",
                 "--locale=C.UTF-8")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                       f"unix_socket_directories = '{self.folder}'\nmax_connections = 60\n"
                       "log_statement = 'all'\nlog_line_prefix = '%p %a '\n"
                       "shared_buffers = '32MB'\n" + settings)
        self.start()

    def run(self, program, *arguments):
        return subprocess.run([*self.as_user, os.path.join(self.bin, program), *arguments], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")

    def start(self):
        self.run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60", "start")

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop")

    def restart(self, mode):
        self.stop(mode)
        self.start()

    def reload(self):
        self.run("pg_ctl", "-D", self.data, "reload")

    def close(self):
        if os.path.isdir(self.folder):
            subprocess.run([*self.as_user, os.path.join(self.bin, "pg_ctl"), "-D", self.data, "-m",
                            "immediate", "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           check=False, cwd="/")
            shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="postgres", user="postgres", check=True):
        """Rows as lists of text; fields are split at U+001F."""
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-v",
             "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", user, "-d", database,
             "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{text}: {done.stderr.decode()}")
        lines = done.stdout.decode().split("\n")[:-1]
        return [line.split("\x1f") for line in lines]

    def one(self, text, database="postgres"):
        rows = self.sql(text, database)
        return rows[0][0] if rows else None

    def database(self):
        self.n_databases += 1
        name = f"test{self.n_databases}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def conninfo(self, database, user="postgres"):
        return f"host={self.folder} port={self.port} dbname={database} user={user}"

    def standby(self):
        """A copy that follows this one and can only be read, until promote()."""
        return Standby(self)

    def log_size(self):
        return os.path.getsize(self.log)

    def statements(self, since, application="sluice/historian"):
        """How many simple or extended queries the sink has sent since then: its round trips."""
        with open(self.log, "rb") as log:
            log.seek(since)
            lines = log.read().decode(errors="replace").split("\n")
        return [line.split(f"{application} ", 1)[1] for line in lines
                if f" {application} " in line and (" statement: " in line or " execute " in line)]

    def backends(self, application="sluice/historian"):
        return [int(row[0]) for row in self.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name = "
            f"'{application}'")]


class Standby(Cluster):
    def __init__(self, primary):  # pylint: disable=super-init-not-called  # nothing is made anew
        self.bin, self.as_user, self.n_databases = primary.bin, primary.as_user, primary.n_databases
        self.folder = os.path.join(primary.folder, "standby")
        self.data, self.log = os.path.join(self.folder, "data"), os.path.join(self.folder, "log")
        self.port = free_port()
        os.mkdir(self.folder, 0o755)
        if self.as_user:
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("pg_basebackup", "-D", self.data, "-R", "-c", "fast", "-h", primary.folder, "-p",
                 str(primary.port), "-U", "postgres")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.folder}'\n")
        self.start()

    def promote(self):
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "60", "promote")


class Drive:
    """The driver, one process: ask() sends a line and returns the answer."""

    program = None
    environment = {}

    def __init__(self, section, name="historian", dead=None, cursor=None):
        self.folder = tempfile.mkdtemp(prefix="slu-drive-")
        path = os.path.join(self.folder, "section.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(section, file)  # JSON is YAML
        self.dead = dead or os.path.join(self.folder, "dead")
        environment = {**os.environ, **self.environment, "DEAD": self.dead,
                       "CURSOR": cursor or os.path.join(self.folder, "cursor")}
        self.process = subprocess.Popen([self.program, path, name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment, text=True)
        self.problems = json.loads(self.process.stdout.readline())

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the driver ended: " + self.process.stderr.read()[-3000:])
        return json.loads(line)

    def ask(self, line):
        self.send(line)
        return self.answer()

    def records(self, records):
        path = os.path.join(self.folder, "records.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(records, file)
        return self.ask(f"records {path}")

    def letters(self):
        """Dead letters: {seq: (code, message)}."""
        with open(self.dead, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        letters = {int(row[0]): (row[1], row[2]) for row in rows}
        assert len(letters) == len(rows), "a record was set aside twice"
        return letters

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self):
        """End it; a sanitizer's complaint fails the test."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        code = self.process.wait(timeout=DEADLINE)
        errors = self.process.stderr.read()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert code == 0, f"the driver ended with {code}: {errors[-3000:]}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.close()
        elif self.process.poll() is None:
            self.kill()
