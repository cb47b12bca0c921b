"""The sink under test, driven by tests/kafka/drive.c, and what it says."""

import subprocess
import threading
import time

PATH = None  # set by run.py


class Drive:
    def __init__(self, folder, brokers, topic="lake", options="", arguments=()):
        folder.mkdir(parents=True, exist_ok=True)
        section = folder / "section.yaml"
        section.write_text(f'type: kafka\nbrokers: "{brokers}"\ntopic: "{topic}"\n{options}\n')
        self.lines, self.changed = [], threading.Condition()
        self.process = subprocess.Popen(
            [str(PATH), str(section), *map(str, arguments)], stdout=subprocess.PIPE,
            stderr=open(folder / "stderr", "wb"))
        self.errors = folder / "stderr"
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.changed.notify_all()

    def all(self, word):
        """What stands behind a word, line by line."""
        with self.changed:
            return [line[len(word) + 1:] for line in self.lines
                    if line == word or line.startswith(word + " ")]

    @property
    def safe(self):
        said = self.all("SAFE")
        return int(said[-1]) if said else 0

    @property
    def rejects(self):
        return {int(line.split()[0]): line.split()[1] for line in self.all("REJECT")}

    def wait(self, condition, what, timeout=60):
        until = time.monotonic() + timeout
        while not condition():
            with self.changed:
                self.changed.wait(0.05)
            if time.monotonic() > until or (self.process.poll() is not None and not condition()):
                raise AssertionError(f"{what}: did not happen; last lines: {self.lines[-6:]}")

    def end(self, timeout=120):
        code = self.process.wait(timeout)
        self.reader.join(10)
        errors = self.errors.read_text(errors="replace")
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors[:3000]
        return code
