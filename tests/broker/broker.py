"""A private Mosquitto with or without the plugin: free port, own folder, own configuration.

    home/                     0755, belongs to the user the broker runs as
      mosquitto.conf
      mosquitto_sluice.so     a copy: the checkout may be closed to that user
      sluice.yaml             the configuration under test
      data/                   data_dir, made by the plugin
      log                     what the broker said, from every start
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import mqtt
import places
import sanitizers


class BrokerError(Exception):
    """The broker did not do what a broker does."""


def wait_until(condition, what="condition", timeout=30, every=0.02):
    """Ask until the answer is true, and return it. The deadline is far: it is for the broken case."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(every)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def flow(value):
    """A Python value as YAML: JSON is YAML's flow style."""
    return json.dumps(value, ensure_ascii=False)


def yaml(**sections):
    """Top-level keys in block style, what is below them in flow style, one list entry a line."""
    lines = []
    for key, value in sections.items():
        if isinstance(value, list):
            lines.append(f"{key}:" + ("" if value else " []"))
            lines += [f"  - {flow(item)}" for item in value]
        elif isinstance(value, dict):
            lines.append(f"{key}:" + ("" if value else " {}"))
            lines += [f"  {name}: {flow(item)}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


class Broker:
    """`config`: text of sluice.yaml; None: a broker without the plugin."""

    def __init__(self, home, config=None, lines=(), options=None, user=None, wrap=(), env=None,
                 preload=(), per_listener=False, plugin_first=False):
        self.home = Path(home)
        self.user, self.uid, self.gid = user or places.broker_user()
        self.port, self.process = free_port(), None
        self.lines, self.options, self.wrap = list(lines), options, list(wrap)
        self.env, self.preload, self.per_listener = dict(env or {}), list(preload), per_listener
        self.plugin, self.plugin_first = config is not None, plugin_first
        self.log_path, self.data_dir = self.home / "log", self.home / "data"
        self._make_home()
        if self.plugin:
            self.config_path = self.home / "sluice.yaml"
            self.configure(config)

    # -- files ---------------------------------------------------------------------------------------

    def _make_home(self):
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        self.give(self.home)
        if self.plugin:
            shutil.copy(places.PLUGIN, self.home / "mosquitto_sluice.so")
            (self.home / "mosquitto_sluice.so").chmod(0o755)
        if self.plugin and places.ASAN:
            places.build_shim("asan_first", self.home / "asan_first.so")

    def give(self, path):
        """Make `path` the broker's own."""
        if places.IS_ROOT:
            os.chown(path, self.uid, self.gid)
        return path

    def configure(self, config):
        """Write sluice.yaml. `@HOME@` becomes the broker's folder. Not read before start or hup."""
        new = self.home / "sluice.yaml.new"
        new.write_text(config.replace("@HOME@", str(self.home)))
        new.chmod(0o644)
        new.rename(self.config_path)

    def _write_conf(self):
        options = self.options
        if options is None:
            options = {"config": str(self.home / "sluice.yaml")}
        listener = [f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        plugin = []
        if self.plugin:
            plugin = [f"plugin {self.home}/mosquitto_sluice.so"]
            plugin += [f"plugin_opt_{key} {value}" for key, value in options.items()]
        conf = [
            f"user {self.user}",
            f"per_listener_settings {'true' if self.per_listener else 'false'}",
            "persistence false",
            "log_dest stderr",
            "log_type error", "log_type warning", "log_type notice", "log_type information",
            "max_inflight_messages 1000",
            "max_queued_messages 200000",
            "sys_interval 0",
        ]
        if self.plugin_first:  # in Mosquitto's words this is a listener of its own, here an idle one
            conf += [f"port {free_port()}", "bind_address 127.0.0.1"] + plugin + listener
        else:
            conf += listener + plugin
        conf += self.lines
        path = self.home / "mosquitto.conf"
        path.write_text("\n".join(conf) + "\n")
        path.chmod(0o644)
        return path

    # -- life ----------------------------------------------------------------------------------------

    def _environment(self):
        env = dict(os.environ)
        env.update(self.env)
        preload = list(self.preload)
        if places.ASAN and self.plugin:
            preload[:0] = [places.asan_runtime(), self.home / "asan_first.so"]
            env.update(sanitizers.ENVIRONMENT)
        if preload:
            env["LD_PRELOAD"] = ":".join(str(path) for path in preload)
        return env

    def spawn(self):
        """Start the process and do not wait for it."""
        conf = self._write_conf()
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(
                self.wrap + [places.mosquitto(), "-c", str(conf)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self._environment(), cwd=str(self.home))
        return self

    def start(self, timeout=60):
        """Start, and return when it takes connections. A port that somebody took meanwhile is
        replaced."""
        for _ in range(5):
            self.spawn()
            if self._ready(timeout):
                return self
            if "Address already in use" not in self.log(this_start=True):
                break
            self.port = free_port()
        raise BrokerError(f"the broker ended with {self.process.returncode}")

    def _ready(self, timeout):
        def answered():
            if self.process.poll() is not None:
                return True
            try:
                mqtt.Client(self.port, timeout=timeout).close()
                return True
            except (ConnectionError, mqtt.ProtocolError):
                return False

        wait_until(answered, "the broker takes connections", timeout, every=0.005)
        return self.process.poll() is None

    @property
    def pid(self):
        """Of the broker itself, also when it runs inside a tool."""
        if not self.wrap:
            return self.process.pid
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0]) if children.split() else self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def refuses_start(self, timeout=30):
        """Start a broker that has to give up. Returns its log; raises when it runs."""
        self.spawn()
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise BrokerError("the broker started all the same") from None
        if code == 0:
            raise BrokerError("the broker ended with 0")
        return self.log(this_start=True)

    def stop(self, timeout=60):
        """SIGTERM; returns the seconds it took. Raises when it did not end well."""
        start = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        code = self.process.wait(timeout)
        if code != 0:
            raise BrokerError(f"the broker ended with {code}")
        return time.monotonic() - start

    def kill(self):
        """kill -9."""
        if self.running():
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait(30)

    def hup(self):
        os.kill(self.pid, signal.SIGHUP)

    # -- what it says --------------------------------------------------------------------------------

    def log(self, this_start=False):
        if not self.log_path.exists():
            return ""
        data = self.log_path.read_bytes()
        return data[self.log_start if this_start else 0:].decode(errors="backslashreplace")

    def sluice_lines(self):
        """What the plugin logged, without the broker's time in front."""
        return [line.split(": ", 1)[1] if line[:1].isdigit() else line
                for line in self.log().splitlines() if "sluice: " in line]

    def says(self, words, timeout=30):
        """Wait until all the words stand in the log."""
        words = [words] if isinstance(words, str) else words
        return wait_until(lambda: all(word in self.log() for word in words),
                          f"the log says {words!r}", timeout)

    def sanitizer_report(self):
        return sanitizers.report(self.log())

    def status(self):
        """status.json as it is now; None when there is none yet."""
        try:
            return json.loads((self.data_dir / "status.json").read_text())
        except FileNotFoundError:
            return None

    def status_when(self, condition, what, timeout=30, fresh=False):
        """The first status.json for which the condition is true. `fresh`: one that was written from now
        on, so that it counts everything that was acknowledged before."""
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1)) if fresh else ""

        def holds():
            status = self.status()
            return status if status and status["time"] >= since and condition(status) else None
        return wait_until(holds, f"status.json: {what}", timeout)

    def client(self, client_id="", version=4, **options):
        return mqtt.Client(self.port, client_id, version, **options)
