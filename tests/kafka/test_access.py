"""Who may write, and who says so."""

import time

from drive import Drive
from judge import once_and_in_order

SASL = ("properties: {{security.protocol: sasl_plaintext, sasl.mechanism: PLAIN, "
        "sasl.username: alice, sasl.password: {}}}")


def test_without_permission_it_waits_until_it_is_granted(brokers, place):
    broker = brokers.get(secure=True)
    broker.create("guarded", 4)
    broker.create("other", 1)
    sink = Drive(place, broker.sasl, "guarded", SASL.format("alice-secret"),
                 ("--records", 5000, "--seconds", 90))
    # Who may write nothing at all gets no producer; who may write elsewhere is refused by the topic.
    sink.wait(lambda: sink.all("PAUSED"), "PAUSED")
    assert "uthorization failed" in sink.all("PAUSED")[0], sink.all("PAUSED")
    assert "allow this user the operation Write on the topic" in sink.all("PAUSED")[0]
    broker.allow("other")
    time.sleep(2)
    broker.allow("guarded")
    assert sink.end() == 0, sink.lines[-5:]
    assert not sink.rejects, sink.rejects
    resets = [[int(word) for word in line.split()[:2]] for line in sink.all("RESET")]
    sent_again = sum(pushed > safe for safe, pushed in resets[1:])
    once_and_in_order(broker.consume("guarded"), range(1, 5001), sent_again)
    # The producer's own refusal may come before or after the first records: then all were under way once.
    assert [pushed - safe > 1 for safe, pushed in resets].count(True) <= 1, \
        f"after a refusal one record is tried, not all: {resets}"
    assert len(set(sink.all("PAUSED"))) == 1, f"more than one line a cause: {sink.all('PAUSED')}"
    told = [line.split()[0] for line in sink.lines]
    assert "AWAY" not in told[told.index("PAUSED"):], f"the broker was there: {sink.all('AWAY')}"


def test_a_wrong_password_pauses_and_is_not_told(brokers, place):
    broker = brokers.get(secure=True)
    sink = Drive(place, broker.sasl, "guarded", SASL.format("wrong-horse-battery"),
                 ("--records", 10, "--seconds", 5))
    sink.wait(lambda: sink.all("PAUSED"), "PAUSED")
    assert sink.end() == 1
    assert "uthentication" in sink.all("PAUSED")[0], sink.all("PAUSED")
    assert "sasl" in sink.all("PAUSED")[0], sink.all("PAUSED")
    assert not any("wrong-horse" in line for line in sink.lines), "the password was told"


def tls(broker, ca="ca.pem", more=""):
    return ("properties: {security.protocol: sasl_ssl, sasl.mechanism: PLAIN, sasl.username: alice, "
            f"sasl.password: alice-secret, ssl.ca.location: {broker.folder}/tls/{ca}{more}}}")


def test_tls_is_spoken_with_the_authority_that_was_named(brokers, place):
    broker = brokers.get(secure=True)
    broker.create("sealed", 2)
    broker.allow("sealed")
    sink = Drive(place, broker.tls, "sealed", tls(broker), ("--records", 2000, "--seconds", 60))
    assert sink.end() == 0, sink.lines[-5:]
    once_and_in_order(broker.consume("sealed"), range(1, 2001), 0)


def test_another_authority_or_a_name_that_does_not_fit_pauses(brokers, place):
    broker = brokers.get(secure=True)
    for name, address, ca in (("authority", broker.tls, "other.pem"),
                              ("name", broker.tls.replace("127.0.0.1", "localhost"), "ca.pem")):
        sink = Drive(place / name, address, "sealed", tls(broker, ca), ("--records", 10, "--seconds", 5))
        sink.wait(lambda: sink.all("PAUSED"), f"PAUSED over another {name}")
        assert sink.end() == 1
        assert "ssl.*" in sink.all("PAUSED")[0], sink.all("PAUSED")
        assert sink.safe == 0


def test_a_quota_slows_and_loses_nothing(brokers, place):
    broker = brokers.get()
    broker.create("bounded", 2)
    broker.bound("slow", 100000)
    sink = Drive(place, broker.address, "bounded", "properties: {client.id: slow, batch.num.messages: 100}",
                 ("--records", 4000, "--size", 250, "--seconds", 90))
    assert sink.end(150) == 0, sink.lines[-5:]
    once_and_in_order(broker.consume("bounded"), range(1, 4001), 0)
    numbers = dict(part.split("=") for part in sink.all("NUMBERS")[0].split())
    assert int(numbers["throttle_ms"]) > 0, numbers
    return f"{sink.all('DONE')[0].split()[0]} s, answers held back {numbers['throttle_ms']} ms"


def points(place, address, topic, options=""):
    sink = Drive(place, address, topic, options, ("--probe", 1, "--seconds", 4))
    code = sink.end()
    return code, [tuple(line.split(" ", 2)) for line in sink.all("POINT")]


def test_a_look_tells_what_is_there_and_makes_nothing(brokers, place):
    broker = brokers.get(secure=True)
    broker.create("seen", 3)
    broker.create("hidden", 1)
    broker.allow("seen")
    code, told = points(place / "a", broker.tls, "seen", tls(broker))
    assert code == 0, told
    assert [what for what, _, _ in told] == ["connection", "tls", "login", "topic"], told
    assert told[3][2] == "topic seen has 3 partitions", told
    code, told = points(place / "b", broker.tls, "hidden", tls(broker))
    assert code == 1 and told[-1][:2] == ("topic", "bad"), told
    assert "create it, or allow this user the operation Describe" in told[-1][2], told
    code, told = points(place / "c", broker.address, "absent")
    assert code == 1 and told[-1][:2] == ("topic", "bad"), told
    assert "absent" not in broker.topics()
    code, told = points(place / "d", broker.sasl, "seen", SASL.format("wrong-horse-battery"))
    assert code == 1 and told[0][:2] == ("connection", "bad"), told
    assert "check the sasl.* properties" in told[0][2] and "wrong-horse" not in str(told), told
    code, told = points(place / "e", "127.0.0.1:1", "seen")
    assert code == 1 and told[0][:2] == ("connection", "bad"), told
