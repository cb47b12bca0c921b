"""What the simulator of examples/factory says, for tests that compare it with what is where in the end: told beforehand
(`--print`; only time stamps differ from a run's), published, and heard by a subscriber of the broker."""

import re
import shutil
import subprocess

import places
from broker import wait_until

FACTORY = places.BUILD / "examples" / "factory" / "factory"
AGAIN = "sent again by a gateway"
RIGHT = {"right", "high, but within limits"}


def masked(topic, payload):
    """Without the time stamp of JSON."""
    return topic, re.sub(rb'"ts":\d+', b'"ts":0', payload)


def said(messages, *arguments):
    """[(right, topic, payload)] of a run. What a gateway sends again is what it was the first time."""
    printed = subprocess.run([str(FACTORY), "--print", "--messages", str(messages), *arguments], capture_output=True,
                             check=True).stdout
    kinds, found = {}, []
    for kind, gateway, topic, payload in (line.split(b"\t", 3) for line in printed.split(b"\n") if line):
        kind = kinds.setdefault((gateway, topic, payload), kind) if kind == AGAIN.encode() else kind
        kinds[gateway, topic, payload] = kind
        if b"/checkweigher/" in topic:
            payload = bytes.fromhex(payload.decode())
        found.append((kind.decode() in RIGHT, topic.decode(), payload))
    return found


def publish(broker, messages, *arguments):
    done = subprocess.run([str(FACTORY), "--quiet", "--port", str(broker.port), "--messages", str(messages), *arguments],
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def copy_schemas(folder):
    """To ../factory/schemas, as the examples see them, open to the broker's user."""
    shutil.copytree(places.ROOT / "examples/factory/schemas", folder / "factory/schemas")
    for path in (folder / "factory", *(folder / "factory").rglob("*")):
        path.chmod(0o755)


class Listener:
    """A subscriber that wrote down what it heard, from the moment that it is there."""

    def __init__(self, broker, path, topic="factory/#"):
        self.path = path
        with open(path, "wb") as out:
            self.process = subprocess.Popen(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-t",
                                             topic, "-t", "ready", "-F", "%t\t%x"], stdout=out)
        client = broker.client("ready")
        try:
            wait_until(lambda: self.is_ready(client), "the subscriber is there", every=0.1)
        finally:
            client.close()

    def is_ready(self, client):
        client.publish("ready", b"x", 1)
        return b"ready" in self.path.read_bytes()

    def heard(self, topics):
        """[(topic, payload)] whose topic matches the expression, in their order."""
        lines = [line.split("\t") for line in self.path.read_text().splitlines() if line.count("\t") == 1]
        return [(topic, bytes.fromhex(payload)) for topic, payload in lines if re.search(topics, topic)]

    def heard_all(self, topics, count):
        return wait_until(lambda: len(found := self.heard(topics)) >= count and found, f"{count} are heard", every=0.1)

    def close(self):
        self.process.terminate()
        self.process.wait()
