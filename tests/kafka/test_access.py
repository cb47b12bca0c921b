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
    resets = len(sink.all("RESET"))
    once_and_in_order(broker.consume("guarded"), range(1, 5001), resets - 1)
    assert resets == 2, f"{resets} RESETs: a pause should try one record, not all"
    assert len(sink.all("PAUSED")) == 1, f"more than one line a cause: {sink.all('PAUSED')}"


def test_a_wrong_password_pauses_and_is_not_told(brokers, place):
    broker = brokers.get(secure=True)
    sink = Drive(place, broker.sasl, "guarded", SASL.format("wrong-horse-battery"),
                 ("--records", 10, "--seconds", 5))
    sink.wait(lambda: sink.all("PAUSED"), "PAUSED")
    assert sink.end() == 1
    assert "uthentication" in sink.all("PAUSED")[0], sink.all("PAUSED")
    assert "sasl" in sink.all("PAUSED")[0], sink.all("PAUSED")
    assert not any("wrong-horse" in line for line in sink.lines), "the password was told"
