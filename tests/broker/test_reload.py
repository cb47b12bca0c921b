"""SIGHUP: a good configuration takes over, a bad one changes nothing, no message is lost on the way."""

import checks
import mqtt
from broker import wait_until
from harness import BrokerTest, cases, config, fast, policy


def limit(maximum, **keys):
    return policy(limits=[{"field": "/value", "max": maximum}], on_violation={"reroute": "q/x"}, **keys)


class Reload(BrokerTest):
    def generation(self, broker, n):
        return broker.status_when(lambda status: status["generation"] == n, f"generation {n}")

    @fast
    def test_a_good_configuration_takes_over(self):
        broker = self.broker(config([limit(100)]))
        with broker.client() as publisher, broker.client(version=5) as subscriber:
            subscriber.subscribe("#")
            publisher.publish("in/oven", b'{"value":150}', 1)
            self.assertEqual(subscriber.message().topic, "q/x")
            broker.configure(config([limit(200)]))
            broker.hup()
            self.generation(broker, 2)
            publisher.publish("in/oven", b'{"value":150}', 1)
            self.assertEqual(subscriber.message().topic, "in/oven")
        status = self.finish(broker)
        checks.counted(status, rerouted=1, accepted=1)
        self.assertFalse(status["config_error"])

    BAD = {
        "not YAML": "policies: [",
        "an unknown key": config([limit(200)], colour="blue"),
        "a sink that is not there": config([limit(200, to=["nowhere"])]),
        "a filter that is none": config([limit(200, topics=["in/#/x"])]),
        "an empty file": "",
    }

    @cases(BAD)
    def test_a_bad_configuration_changes_nothing(self, text):
        broker = self.broker(config([limit(100)]))
        with broker.client() as publisher, broker.client(version=5) as subscriber:
            subscriber.subscribe("#")
            broker.configure(text)
            broker.hup()
            status = broker.status_when(lambda status: status["config_error"], "a config_error")
            self.assertIn("sluice.yaml:", str(status["config_error"]))
            self.assertEqual(status["generation"], 1)
            wait_until(lambda: any("sluice.yaml:" in line for line in broker.sluice_lines()),
                       "a line in the log that names the place")
            publisher.publish("in/oven", b'{"value":150}', 1)
            self.assertEqual(subscriber.message().topic, "q/x")
            broker.configure(config([limit(200)]))
            broker.hup()
            status = self.generation(broker, 2)
            self.assertFalse(status["config_error"])
            publisher.publish("in/oven", b'{"value":150}', 1)
            self.assertEqual(subscriber.message().topic, "in/oven")
        checks.counted(self.finish(broker), rerouted=1, accepted=1)

    def test_a_file_that_is_gone_changes_nothing(self):
        broker = self.broker(config([limit(100)]))
        broker.config_path.unlink()
        broker.hup()
        broker.status_when(lambda status: status["config_error"], "a config_error")
        with broker.client() as publisher:
            publisher.publish("in/oven", b'{"value":50}', 1)
        checks.counted(self.finish(broker), accepted=1)

    def test_a_reload_ends_the_open_file_and_a_bad_one_does_not(self):
        broker = self.broker(config([limit(100)]))

        def files():
            return [file.open for file in checks.lake_files(self.lake(broker))]

        def publish(n):
            publisher.publish("in/oven", b'{"value":50}', 1)
            broker.status_when(lambda status: status["sinks"]["lake"]["delivered"] == n, f"{n} delivered")

        with broker.client() as publisher:
            publish(1)
            self.assertEqual(files(), [True])
            broker.configure("policies: [")
            broker.hup()
            broker.status_when(lambda status: status["config_error"], "a config_error")
            publish(2)
            self.assertEqual(files(), [True])
            broker.configure(config([limit(100)]))
            broker.hup()
            self.generation(broker, 2)
            wait_until(lambda: files() == [False], "the file has its final name")
            publish(3)
            self.assertEqual(files(), [False, True])
        checks.counted(self.finish(broker), accepted=3)
        self.assertEqual(len(checks.lake(self.lake(broker))), 3)

    def test_a_changed_sink_under_load_loses_nothing(self):
        def place(n):
            return config([limit(400)], {"lake": {"type": "file", "path": f"@HOME@/lake{n}"}})

        broker = self.broker(place(0))
        flood = mqtt.Flood(broker.port, lambda n: (f"in/{n % 4}", b'{"value":1,"n":%d}' % n))
        for turn in range(1, 4):
            broker.configure(place(turn))
            broker.hup()
            flood.run(until=lambda turn=turn: broker.status()["generation"] == turn + 1)
            flood.run(count=2000)
        flood.run(count=flood.made - flood.acked)
        flood.close()
        status = self.finish(broker)
        checks.counted(status, accepted=flood.acked)
        numbers = []
        for n in range(4):
            records = checks.lake(self.lake(broker, f"lake{n}"))
            checks.nothing_open(self.lake(broker, f"lake{n}"))
            numbers += [record["payload"]["n"] for record in records]
        self.assertEqual(numbers, list(range(flood.acked)))

    def test_sinks_come_and_go_under_load(self):
        def with_sinks(*names):
            sinks = {name: {"type": "file", "path": f"@HOME@/{name}"} for name in names}
            return config([policy(to=list(names))], sinks)

        broker = self.broker(with_sinks("a"))
        flood = mqtt.Flood(broker.port, lambda n: (f"in/{n % 4}", b'{"value":1,"n":%d}' % n))
        for turn, names in enumerate([("a", "b"), ("b",), ("a", "b"), ("a",)], 2):
            broker.configure(with_sinks(*names))
            broker.hup()
            flood.run(until=lambda turn=turn: broker.status()["generation"] == turn)
            flood.run(count=2000)
        flood.run(count=flood.made - flood.acked)
        flood.close()
        status = self.finish(broker)
        checks.counted(status, accepted=flood.acked)
        seen = set()
        for name in "ab":
            numbers = [record["payload"]["n"] for record in checks.lake(self.lake(broker, name))]
            self.assertEqual(numbers, sorted(numbers))
            seen.update(numbers)
        self.assertEqual(len(seen), flood.acked)

    def test_forty_reloads_under_load(self):
        broker = self.broker(config([limit(400)]))
        flood = mqtt.Flood(broker.port, lambda n: ("in/oven", b'{"value":1,"n":%d}' % n))
        for turn in range(40):
            text = config([limit(400 + turn)]) if turn % 4 else "policies: ["
            broker.configure(text)
            broker.hup()
            flood.run(count=500)
        broker.configure(config([limit(400)]))
        broker.hup()
        broker.status_when(lambda status: not status["config_error"], "good at last")
        flood.close()
        checks.counted(self.finish(broker), accepted=flood.acked)
        self.assertEqual([r["payload"]["n"] for r in checks.lake(self.lake(broker))],
                         list(range(flood.acked)))
