"""Brokers that die, freeze and come back; topics that vanish."""

import time

from drive import Drive
from judge import once_and_in_order


def test_order_and_completeness_survive_kills_and_freezes(brokers, place):
    broker = brokers.get()
    broker.create("restarts", 8)
    n = 100000
    sink = Drive(place, broker.address, "restarts", arguments=(
        "--records", n, "--keys", 97, "--pace", 6000, "--window", 30000, "--seconds", 150))
    for at, fault in ((5000, "kill"), (15000, "freeze"), (30000, "kill"), (45000, "freeze"),
                      (60000, "kill"), (75000, "kill")):
        sink.wait(lambda: sink.safe >= at, f"{at} records safe")
        if fault == "kill":
            broker.kill()
            time.sleep(0.5)
            broker.start()
        else:
            broker.freeze()
            time.sleep(3)
            broker.thaw()
    assert sink.end() == 0, sink.lines[-5:]
    producers = len(sink.all("RESET"))
    # A Kafka 4.3.1 that is killed may store a batch twice all by itself: in its log stands the same
    # producer, epoch and base sequence a second time behind the first.
    kills = 4
    doubled = once_and_in_order(broker.consume("restarts"), range(1, n + 1), producers - 1 + kills)
    return f"{n} records, {producers} producers, {doubled} doubled"


test_order_and_completeness_survive_kills_and_freezes.long = True


def test_freezes_that_outlast_the_clients_patience_lose_nothing(brokers, place):
    """Requests time out while the broker holds them, are sent again, and then it answers both."""
    broker = brokers.get()
    broker.create("patience", 8)
    n = 60000
    sink = Drive(place, broker.address, "patience", "headers: ids\nproperties: {socket.timeout.ms: "
                 "1000, request.timeout.ms: 900, linger.ms: 1, batch.num.messages: 50}", (
                     "--records", n, "--keys", 97, "--pace", 4000, "--window", 30000, "--seconds",
                     150))
    for at in range(3000, 48001, 5000):
        sink.wait(lambda: sink.safe >= at, f"{at} records safe")
        broker.freeze()
        time.sleep(2.5)
        broker.thaw()
    assert sink.end() == 0, sink.lines[-5:]
    resets = len(sink.all("RESET"))
    doubled = once_and_in_order(broker.consume("patience"), range(1, n + 1), resets - 1)
    return f"{n} records, {resets} producers, {doubled} doubled"


test_freezes_that_outlast_the_clients_patience_lose_nothing.long = True


def test_a_broker_that_is_away_at_the_start_is_waited_for(brokers, place):
    broker = brokers.get()
    broker.create("late", 2)
    broker.kill()
    sink = Drive(place, broker.address, "late", arguments=("--records", 500, "--seconds", 60))
    sink.wait(lambda: sink.all("AWAY"), "AWAY")
    assert not sink.all("RESET"), "no broker, but RESET"
    broker.start()
    assert sink.end() == 0
    once_and_in_order(broker.consume("late"), range(1, 501), 0)


def test_a_frozen_broker_does_not_hold_the_end(brokers, place):
    broker = brokers.get()
    broker.create("frozen", 2)
    sink = Drive(place, broker.address, "frozen", arguments=(
        "--records", 1000000, "--pace", 2000, "--seconds", 15))
    sink.wait(lambda: sink.safe > 2000, "some records")
    broker.freeze()
    try:
        sink.wait(lambda: sink.all("AWAY"), "AWAY", 30)
        assert sink.end(30) == 1
        closed = float(sink.all("DONE")[0].split()[-1])
        assert closed < 3, f"close took {closed} s"
    finally:
        broker.thaw()
    return f"closed in {closed} s"


test_a_frozen_broker_does_not_hold_the_end.long = True


def test_a_missing_topic_pauses_until_it_is_made(brokers, place):
    broker = brokers.get()
    sink = Drive(place, broker.address, "missing", arguments=("--records", 3000, "--seconds", 60))
    sink.wait(lambda: sink.all("PAUSED"), "PAUSED")
    assert "topic missing" in sink.all("PAUSED")[0], sink.all("PAUSED")
    assert "create the topic" in sink.all("PAUSED")[0], sink.all("PAUSED")
    time.sleep(2)
    broker.create("missing", 4)
    assert sink.end() == 0, sink.lines[-5:]
    resets = len(sink.all("RESET"))
    once_and_in_order(broker.consume("missing"), range(1, 3001), resets - 1)
    # Once at the start; then one record was tried alone, and all was pushed again only when it went.
    assert resets == 2, f"{resets} RESETs"


def test_a_deleted_topic_pauses_and_goes_on_when_it_is_back_with_fewer_partitions(brokers, place):
    broker = brokers.get()
    broker.create("fickle", 4)
    n = 40000
    sink = Drive(place, broker.address, "fickle", arguments=(
        "--records", n, "--keys", 31, "--pace", 3000, "--window", 20000, "--seconds", 90))
    sink.wait(lambda: sink.safe >= 3000, "3000 records safe")
    broker.delete("fickle")
    sink.wait(lambda: sink.all("PAUSED"), "PAUSED")
    gone = sink.safe  # went down with the old topic
    broker.create("fickle", 2)
    assert sink.end() == 0, sink.lines[-5:]
    records = broker.consume("fickle")
    first = min(r.seq for r in records)
    assert first <= gone + 1 or first == gone + 1, (first, gone)
    once_and_in_order([r for r in records if r.seq > gone], range(gone + 1, n + 1),
                      len(sink.all("RESET")) - 1)
    return f"{len(sink.all('RESET'))} producers"


test_a_deleted_topic_pauses_and_goes_on_when_it_is_back_with_fewer_partitions.long = True
