"""What every test stands on: a folder of its own, brokers that are stopped whatever happens, and a
verdict on what the sanitizers said.

    class Answers(BrokerTest):
        @cases({"3.1.1, QoS 1": (4, 1), …})     # one test a row
        def test_an_accepted_publish_is_acknowledged(self, version, qos): …
"""

import functools
import os
import shutil
import tempfile
import unittest
from pathlib import Path

import places
from broker import Broker, yaml


def cases(table):
    """Makes one test of each row: {name of the case: arguments}."""
    def mark(function):
        function.cases = table
        return function
    return mark


def fast(function):
    """Belongs to `run.sh --fast`."""
    function.fast = True
    return function


def alone(function):
    """Measures a rate or fills the machine: runs when nothing else does."""
    function.alone = True
    return function


def needs_root(reason):
    return unittest.skipUnless(places.IS_ROOT, f"needs root: {reason}")


class BrokerTest(unittest.TestCase):
    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        for name, function in list(vars(cls).items()):
            if hasattr(function, "cases"):
                cls._expand(name, function)

    @classmethod
    def _expand(cls, name, function):
        delattr(cls, name)
        for title, arguments in function.cases.items():
            arguments = arguments if isinstance(arguments, tuple) else (arguments,)

            def test(self, function=function, arguments=arguments):
                function(self, *arguments)
            functools.update_wrapper(test, function)
            test.cases = None
            del test.cases
            setattr(cls, f"{name}: {title}", test)

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.folder.chmod(0o755)
        self.brokers = []
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        for broker in self.brokers:
            broker.kill()
        reports = [broker.sanitizer_report() for broker in self.brokers]
        if not os.environ.get("SLUICE_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        for report in reports:
            if report:
                self.fail(f"a sanitizer reported:\n{report}")

    def logs(self):
        """Ends of the brokers' logs, for a test that failed."""
        return "\n".join(f"--- {b.home.name}: log\n{b.log()[-4000:]}" for b in self.brokers)

    def broker(self, config=None, name="broker", start=True, **options):
        broker = Broker(self.folder / name, config, **options)
        self.brokers.append(broker)
        return broker.start() if start else broker

    def lake(self, broker, name="lake"):
        """A folder the file sink may make; what it makes belongs to the broker's user."""
        return broker.home / name

    def finish(self, broker):
        """A clean stop; returns the last status.json."""
        broker.stop()
        return broker.status()

    def shim(self, source):
        """tests/broker/shims/<source>.c as a library to preload."""
        return places.build_shim(source, self.folder / f"{source}.so")


def config(policies, sinks=None, **sections):
    """sluice.yaml with the least that must stand there. Sink `lake` writes files to @HOME@/lake."""
    if sinks is None:
        sinks = {"lake": {"type": "file", "path": "@HOME@/lake", "format": "jsonl"}}
    head = {"instance": "test", "data_dir": "@HOME@/data",
            "spool": {"sync_interval": "20ms", "min_free": "1MiB"}}
    head.update(sections)
    return yaml(**head, sinks=sinks, policies=policies)


def policy(topics="in/#", **keys):
    """A policy on `in/#`: a JSON object whose /value is at most 400, to the lake."""
    base = {"id": "p", "topics": [topics] if isinstance(topics, str) else topics,
            "payload": "json", "limits": [{"field": "/value", "max": 400}], "to": ["lake"]}
    base.update(keys)
    return {key: value for key, value in base.items() if value is not None}


GOOD, BAD = b'{"value":21.5}', b'{"value":500}'
