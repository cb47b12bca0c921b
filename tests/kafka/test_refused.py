"""Records that Kafka will never take."""

from drive import Drive
from judge import once_and_in_order


def run(brokers, place, topic, n, big, size=100, options="", limit=2000, arguments=()):
    broker = brokers.get()
    broker.create(topic, 4, max_message_bytes=limit)
    more = [part for seq, bytes_ in big.items() for part in ("--big", f"{seq}:{bytes_}")]
    sink = Drive(place, broker.address, topic, options, (
        "--records", n, "--keys", 23, "--size", size, "--seconds", 90, *more, *arguments))
    assert sink.end() == 0, sink.lines[-5:]
    assert sink.rejects == dict.fromkeys(big, "record.too_large"), sink.all("REJECT")
    doubled = once_and_in_order(broker.consume(topic), set(range(1, n + 1)) - set(big),
                                len(sink.all("RESET")) - 1)
    return sink, doubled


def seconds(sink):
    return float(sink.all("DONE")[0].split()[0])


def test_exactly_the_oversized_records_are_refused_in_the_middle_of_batches(brokers, place):
    big = {100: 5000, 101: 2100, 102: 300000, 2500: 4000, 2999: 5000}
    sink, doubled = run(brokers, place, "big", 3000, big,
                        options='headers: ids\nproperties: {batch.size: 1500}')
    return f"{len(sink.all('RESET'))} producers, {doubled} doubled, {seconds(sink)} s"


def test_a_batch_that_is_refused_for_one_record_arrives_without_it(brokers, place):
    # A few dozen small records and one large in a batch: with it, the batch is beyond the limit.
    sink, doubled = run(brokers, place, "mixed", 300, {150: 120000}, limit=100000,
                        options="headers: ids")
    assert any("refused together" in line for line in sink.all("LOG")), sink.all("LOG")
    return f"{len(sink.all('RESET'))} producers, {doubled} doubled, {seconds(sink)} s"


def test_batches_that_are_too_large_as_a_whole_become_smaller(brokers, place):
    sink, doubled = run(brokers, place, "narrow", 8000, {}, size=200, limit=20000)
    assert any("batches have at most" in line for line in sink.all("LOG")), sink.all("LOG")
    return f"{len(sink.all('RESET'))} producers, {doubled} doubled, {seconds(sink)} s"


def test_what_is_larger_than_the_client_allows_is_refused_without_a_new_producer(brokers, place):
    sink, _ = run(brokers, place, "client", 2000, {50: 1200000, 1999: 1100000}, limit=9000000)
    assert len(sink.all("RESET")) == 1, sink.all("RESET")


def test_a_level_that_is_not_known_is_refused(brokers, place):
    broker = brokers.get()
    sink = Drive(place, broker.address, "plant.{site}", arguments=("--records", 20, "--seconds", 20))
    assert sink.end() == 0
    assert sink.rejects == dict.fromkeys(range(1, 21), "template.unresolved"), sink.lines
