"""Real telemetry: 22,695 readings of a machine that failed (tests/data/nab, MIT data of the Numenta
Anomaly Benchmark), judged against limits of 30 and 110."""

import calendar
import csv
import json
import time
from decimal import Decimal

import checks
import mqtt
import places
from harness import BrokerTest, alone, config, policy

CSV = places.TESTS / "data" / "nab" / "machine_temperature_system_failure.csv"
LOW, HIGH = 30, 110


def readings():
    """(milliseconds, value as it is written) of every line."""
    with open(CSV, newline="", encoding="ascii") as file:
        return [(calendar.timegm(time.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S")) * 1000,
                 row["value"]) for row in csv.DictReader(file)]


def is_good(row):
    return LOW <= Decimal(row[1]) <= HIGH


class Telemetry(BrokerTest):
    @alone
    def test_every_reading_is_where_it_belongs(self):
        rows = readings()
        good = [row for row in rows if is_good(row)]
        bad = [row for row in rows if not is_good(row)]
        self.assertEqual((len(rows), len(good), len(bad)), (22_695, 22_622, 73))
        broker = self.broker(config([policy(
            id="machine", topics=["plant/{machine}/temperature"],
            limits=[{"field": "/value", "min": LOW, "max": HIGH, "required": True}],
            on_violation={"reroute": "alerts/{machine}"})]))
        subscriber = broker.client("historian", 5).subscribe("alerts/#")
        self.addCleanup(subscriber.close)
        flood = mqtt.Flood(broker.port, lambda n: (
            "plant/press/temperature", b'{"ts":%d,"value":%s}' % (rows[n][0], rows[n][1].encode())))
        flood.run(count=len(rows))
        flood.close()
        alerts = [json.loads(message.payload) for message in subscriber.messages(len(bad))]
        self.assertTrue(subscriber.quiet())
        checks.counted(self.finish(broker), accepted=len(good), rerouted=len(bad))

        records = checks.lake(self.lake(broker), exact=True)
        self.assertEqual([(record["payload"]["ts"], record["payload"]["value"]) for record in records],
                         [(str(ts), value) for ts, value in good])
        originals = [json.loads(alert["original"]["payload"], parse_float=str) for alert in alerts]
        self.assertEqual([(reading["ts"], reading["value"]) for reading in originals], bad)
        for alert, (_, value) in zip(alerts, bad):
            code = "limits.max" if Decimal(value) > HIGH else "limits.min"
            self.assertEqual([v["code"] for v in alert["violations"]], [code])
        checks.validate("alert.schema.json", alerts, self.folder / "json")
        checks.nothing_open(self.lake(broker))
