"""The accepted path makes no system call: what the broker's thread asks of the kernel for N messages
is the same with the plugin as without it (strace; counted between two marker messages)."""

import re
import shutil
import unittest
from collections import Counter

import mqtt
import places
from harness import BrokerTest, alone, config, policy

N = 4000
CALL = re.compile(r"^(?P<tid>\d+)\s+(?:<\.\.\. )?(?P<name>[a-z_0-9]+)(?P<rest>.*)$")
RARE = N // 100  # waking the writer, a tick: far from each message


class SystemCalls(BrokerTest):
    def count_calls(self, text):
        """System calls of the broker's main thread between the markers, by name."""
        name = "plugin" if text else "bare"
        trace = self.folder / f"{name}.strace"
        broker = self.broker(text, name, wrap=["strace", "-f", "-s", "64", "-o", str(trace)])
        main = broker.pid
        with broker.client("m") as publisher:
            publisher.send(b"".join(mqtt.publish("in/oven", b'{"value":1,"n":%d}' % n, 1, n % 65535 + 1)
                                    for n in range(200)))
            for _ in range(200):
                publisher.expect(mqtt.PUBACK)
            publisher.publish("marker/start", b"", 1)
            for n in range(N):
                publisher.publish("in/oven", b'{"value":1,"n":%d}' % n, 1)
            publisher.publish("marker/end", b"", 1)
        broker.stop()
        counts, inside = Counter(), False
        for line in trace.read_text(errors="replace").splitlines():
            match = CALL.match(line)
            if not match or int(match["tid"]) != main or "resumed>" in line:
                continue
            if "marker/start" in line or "marker/end" in line:
                inside = "marker/start" in line
            elif inside:
                counts[match["name"]] += 1
        self.assertGreater(counts["read"] + counts["recvfrom"], N, "the trace missed the messages")
        return counts

    @alone
    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    @unittest.skipIf(places.ASAN, "AddressSanitizer makes system calls of its own")
    def test_an_accepted_message_costs_no_system_call(self):
        bare = self.count_calls(None)
        judged = self.count_calls(config([policy()]))
        extra = {name: judged[name] - bare[name] for name in judged if judged[name] > bare[name]}
        too_many = {name: n for name, n in extra.items() if n > RARE}
        self.assertEqual(too_many, {}, f"for {N} messages, bare {dict(bare)}, judged {dict(judged)}")
