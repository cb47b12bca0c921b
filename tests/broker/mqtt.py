"""MQTT 3.1.1 and 5 over a plain socket: packets are made and read byte by byte, nothing is hidden.

    publish(…), connect(…), …     bytes of one packet
    Client                        one connection: blocking, for what is said once
    Flood                         one connection: pipelined QoS 1, for what is said 10,000 times a second

A test that cares for bytes compares `packet.raw`; one that does not uses the parsed fields.
"""

import errno
import select
import socket
import struct
import time
from collections import deque

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14

NAMES = {
    CONNECT: "CONNECT", CONNACK: "CONNACK", PUBLISH: "PUBLISH", PUBACK: "PUBACK", PUBREC: "PUBREC",
    PUBREL: "PUBREL", PUBCOMP: "PUBCOMP", SUBSCRIBE: "SUBSCRIBE", SUBACK: "SUBACK",
    UNSUBSCRIBE: "UNSUBSCRIBE", UNSUBACK: "UNSUBACK", PINGREQ: "PINGREQ", PINGRESP: "PINGRESP",
    DISCONNECT: "DISCONNECT",
}

# Property identifiers of MQTT 5 §2.2.2.2 by the shape of their value.
PAYLOAD_FORMAT, MESSAGE_EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA = 1, 2, 3, 8, 9
SESSION_EXPIRY, TOPIC_ALIAS, USER_PROPERTY = 17, 35, 38
BYTE_PROPERTIES = {1, 23, 25, 36, 37, 40, 41, 42}
U16_PROPERTIES = {19, 33, 34, 35}
U32_PROPERTIES = {2, 17, 24, 39}
TEXT_PROPERTIES = {3, 8, 18, 21, 26, 28, 31}
BINARY_PROPERTIES = {9, 22}
VARINT_PROPERTIES = {11}


class ProtocolError(Exception):
    """The other side said something that is no MQTT, or not what was expected."""


# ---- bytes -----------------------------------------------------------------------------------------


def as_bytes(text):
    return text if isinstance(text, (bytes, bytearray)) else text.encode()


def varint(number):
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value):
    value = as_bytes(value)
    return struct.pack("!H", len(value)) + value


def properties(pairs):
    """[(identifier, value), …] with their length in front. A user property's value is a pair."""
    body = b""
    for identifier, value in pairs:
        body += varint(identifier)
        if identifier in BYTE_PROPERTIES:
            body += struct.pack("!B", value)
        elif identifier in U16_PROPERTIES:
            body += struct.pack("!H", value)
        elif identifier in U32_PROPERTIES:
            body += struct.pack("!I", value)
        elif identifier in VARINT_PROPERTIES:
            body += varint(value)
        elif identifier == USER_PROPERTY:
            body += text(value[0]) + text(value[1])
        else:
            body += text(value)
    return varint(len(body)) + body


def packet(kind, flags, body):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connect(client_id="", version=4, clean=True, keepalive=60, username=None, password=None,
            props=()):
    flags = (2 if clean else 0) | (0x80 if username is not None else 0)
    flags |= 0x40 if password is not None else 0
    body = text("MQTT") + bytes([version, flags]) + struct.pack("!H", keepalive)
    if version == 5:
        body += properties(props)
    body += text(client_id)
    if username is not None:
        body += text(username)
    if password is not None:
        body += text(password)
    return packet(CONNECT, 0, body)


def publish(topic, payload=b"", qos=0, mid=0, retain=False, dup=False, version=4, props=()):
    body = text(topic)
    if qos:
        body += struct.pack("!H", mid)
    if version == 5:
        body += properties(props)
    flags = (8 if dup else 0) | qos << 1 | (1 if retain else 0)
    return packet(PUBLISH, flags, body + as_bytes(payload))


def acknowledge(kind, mid, reason=0):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; a reason only where it says something (MQTT 5 §3.4.2.1)."""
    flags = 2 if kind == PUBREL else 0
    return packet(kind, flags, struct.pack("!H", mid) + (bytes([reason]) if reason else b""))


def subscribe(mid, filters, version=4):
    """filters: [(filter, options byte), …]"""
    body = struct.pack("!H", mid) + (b"\0" if version == 5 else b"")
    for topic_filter, options in filters:
        body += text(topic_filter) + bytes([options])
    return packet(SUBSCRIBE, 2, body)


PING = packet(PINGREQ, 0, b"")
BYE = packet(DISCONNECT, 0, b"")


# ---- reading ---------------------------------------------------------------------------------------


class Reader:
    """A cursor over the body of a packet."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def take(self, n):
        if self.at + n > len(self.body):
            raise ProtocolError("packet ends too early")
        self.at += n
        return self.body[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def text(self):
        return self.take(self.number(2))

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def rest(self):
        return self.take(len(self.body) - self.at)

    def properties(self):
        end = self.varint() + self.at
        pairs = []
        while self.at < end:
            identifier = self.varint()
            if identifier in BYTE_PROPERTIES:
                value = self.number(1)
            elif identifier in U16_PROPERTIES:
                value = self.number(2)
            elif identifier in U32_PROPERTIES:
                value = self.number(4)
            elif identifier in VARINT_PROPERTIES:
                value = self.varint()
            elif identifier == USER_PROPERTY:
                value = (self.text().decode(), self.text().decode())
            else:
                value = self.text()
            pairs.append((identifier, value))
        return pairs


class Packet:
    """One packet that came in. Fields that its kind does not have are None."""

    def __init__(self, raw, head, version):
        self.raw = raw
        self.kind, self.flags = raw[0] >> 4, raw[0] & 15
        self.topic = self.payload = self.mid = self.reason = None
        self.qos, self.retain, self.dup, self.props = 0, False, False, []
        body = Reader(raw[head:])
        if self.kind == PUBLISH:
            self._read_publish(body, version)
        elif self.kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            self.mid = body.number(2)
            self.reason = body.number(1) if body.at < len(body.body) else 0
        elif self.kind == CONNACK:
            self.session_present, self.reason = bool(body.number(1)), body.number(1)
            self.props = body.properties() if version == 5 else []
        elif self.kind == SUBACK:
            self.mid = body.number(2)
            self.props = body.properties() if version == 5 else []
            self.codes = list(body.rest())
        elif self.kind == DISCONNECT:
            self.reason = body.number(1) if body.body else 0

    def _read_publish(self, body, version):
        self.qos, self.retain, self.dup = self.flags >> 1 & 3, bool(self.flags & 1), bool(self.flags & 8)
        self.topic = body.text().decode()
        self.mid = body.number(2) if self.qos else None
        self.props = body.properties() if version == 5 else []
        self.payload = body.rest()

    @property
    def user_properties(self):
        return [value for identifier, value in self.props if identifier == USER_PROPERTY]

    def __repr__(self):
        return f"{NAMES.get(self.kind, self.kind)} {self.raw[:80].hex(' ')}"


class Client:
    """One MQTT connection. Everything waits at most `timeout` seconds, then raises TimeoutError."""

    def __init__(self, port, client_id="", version=4, clean=True, username=None, password=None,
                 props=(), timeout=20, connect_now=True):
        self.version, self.client_id = version, client_id
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(timeout)
        self.buffer, self.last_mid, self.waiting = b"", 0, deque()
        if connect_now:
            self.send(connect(client_id, version, clean, 60, username, password, props))
            answer = self.expect(CONNACK)
            if answer.reason:
                raise ProtocolError(f"CONNACK says {answer.reason:#x}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.sock.sendall(BYE)
        except OSError:
            pass
        self.sock.close()

    def send(self, raw):
        self.sock.sendall(raw)

    def next_mid(self):
        self.last_mid = self.last_mid % 65535 + 1
        return self.last_mid

    def _fill(self):
        try:
            more = self.sock.recv(65536)
        except ConnectionResetError:
            more = b""
        self.buffer += more
        return bool(more)

    def read(self):
        """The next packet; None when the connection was closed."""
        while True:
            n, head = self._length()
            if n is not None and len(self.buffer) >= n:
                raw, self.buffer = self.buffer[:n], self.buffer[n:]
                return Packet(raw, head, self.version)
            if not self._fill():
                return None

    def _length(self):
        """(bytes of the first packet, bytes of its fixed header); (None, 0) when not known yet."""
        value, shift = 0, 0
        for at in range(1, min(len(self.buffer), 5)):
            value |= (self.buffer[at] & 0x7F) << shift
            shift += 7
            if not self.buffer[at] & 0x80:
                return value + at + 1, at + 1
        return None, 0

    def expect(self, *kinds):
        """The next packet of one of these kinds. Messages that come meanwhile wait for message()."""
        while True:
            packet_in = self.read()
            if packet_in is None:
                wanted = " or ".join(NAMES[kind] for kind in kinds)
                raise ProtocolError(f"connection closed instead of {wanted}")
            if packet_in.kind in kinds:
                return packet_in
            if packet_in.kind != PUBLISH:
                raise ProtocolError(f"unexpected {packet_in}")
            self.waiting.append(packet_in)

    def publish(self, topic, payload=b"", qos=0, retain=False, props=()):
        """Publish and take part in the whole handshake. Returns the PUBACK or the PUBREC."""
        mid = self.next_mid() if qos else 0
        self.send(publish(topic, payload, qos, mid, retain, False, self.version, props))
        if qos == 0:
            return None
        answer = self.expect(PUBACK if qos == 1 else PUBREC)
        if qos == 2 and answer.reason < 0x80:
            self.send(acknowledge(PUBREL, mid))
            self.expect(PUBCOMP)
        return answer

    def subscribe(self, *filters, qos=1):
        self.send(subscribe(self.next_mid(), [(f, qos) for f in filters], self.version))
        answer = self.expect(SUBACK)
        if any(code >= 0x80 for code in answer.codes):
            raise ProtocolError(f"SUBACK says {answer.codes}")
        return self

    def message(self):
        """The next PUBLISH, acknowledged as its QoS asks."""
        packet_in = self.waiting.popleft() if self.waiting else self.expect(PUBLISH)
        if packet_in.qos == 1:
            self.send(acknowledge(PUBACK, packet_in.mid))
        elif packet_in.qos == 2:
            self.send(acknowledge(PUBREC, packet_in.mid))
            self.expect(PUBREL)
            self.send(acknowledge(PUBCOMP, packet_in.mid))
        return packet_in

    def messages(self, n):
        return [self.message() for _ in range(n)]

    def ping(self):
        """Everything sent before has been handled by the broker when this returns."""
        self.send(PING)
        self.expect(PINGRESP)

    def quiet(self):
        """No message came so far: the answer to a PINGREQ is the next packet. True when so."""
        self.ping()
        self.ping()  # what a plugin publishes leaves one turn of the broker's loop later
        return not self.waiting

    def until_closed(self):
        """Every packet up to the end of the connection."""
        packets = list(self.waiting)
        while True:
            packet_in = self.read()
            if packet_in is None:
                return packets
            packets.append(packet_in)


# ---- many messages a second ------------------------------------------------------------------------

_ACKS = b"".join(struct.pack("!BBH", PUBACK << 4, 2, mid) for mid in range(1, 65536))


class Flood:
    """Message n, n+1, … at QoS 1 (v3.1.1) as fast as they are acknowledged, `window` under way.

    `message(n)` gives (topic, payload). Message n has packet id n % 65535 + 1, and Mosquitto
    acknowledges in order, so what was acknowledged is always a prefix: first ≤ n < acked. Every
    byte of the answers is compared with what it has to be.
    """

    BLOCK = 64  # messages in one send

    def __init__(self, port, message, first=0, client_id="flood", window=1024):
        self.message, self.window = message, window
        self.first = self.sent = self.acked = first
        self.lost = False  # the connection ended
        self.made, self.out, self.partial = first, b"", b""
        self.first_ack_at = self.last_ack_at = None
        client = Client(port, client_id)
        self.sock = client.sock
        self.sock.setblocking(False)

    def _make_block(self, last):
        packets = []
        end = min(self.made + self.BLOCK, last)
        for n in range(self.made, end):
            topic, payload = self.message(n)
            packets.append(publish(topic, payload, 1, n % 65535 + 1))
        self.made = end
        return b"".join(packets)

    def _send(self, last):
        if not self.out:
            if self.made >= last or self.made - self.acked >= self.window:
                return
            self.out = self._make_block(last)
            self.sent = self.made  # some of the block may reach the broker
        try:
            n = self.sock.send(self.out)
        except BlockingIOError:
            return
        except OSError:
            self.out = b""  # the connection is gone; what was acknowledged may still be read
            self.made = self.sent
            self.lost = True
            return
        self.out = self.out[n:]

    def _receive(self):
        try:
            more = self.sock.recv(1 << 16)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno not in (errno.ECONNRESET, errno.EPIPE):
                raise
            more = b""
        if not more:
            self.lost = True
            return False
        self._count_acks(more)
        return True

    def _count_acks(self, more):
        data = self.partial + more
        whole = len(data) // 4 * 4
        self.partial = data[whole:]
        at = 0
        while at < whole:
            start = self.acked % 65535 * 4
            n = min(whole - at, len(_ACKS) - start)
            if data[at:at + n] != _ACKS[start:start + n]:
                raise ProtocolError(f"not the PUBACK of message {self.acked}: {data[at:at + 8].hex()}")
            self.acked += n // 4
            at += n
        now = time.monotonic()
        self.first_ack_at = self.first_ack_at or now
        self.last_ack_at = now

    def run(self, count=None, until=None, timeout=120, pace=30_000):
        """Until `count` more are acknowledged, or until() is true, or the connection is lost. `pace`:
        at most so many a second; Mosquitto could do ten times as many, but then a disk that is slow
        for a moment would fill the spool's ring, and publishers be refused."""
        last = self.acked + count if count is not None else 1 << 62
        start, begun = time.monotonic(), self.made
        deadline = start + timeout
        while self.acked < last and not self.lost and not (until and until()):
            early = self.made - begun > (time.monotonic() - start) * pace
            may_send = bool(self.out) or (
                self.made < last and self.made - self.acked < self.window and not early)
            readable, writable, _ = select.select(
                [self.sock], [self.sock] if may_send else [], [], 0.001 if early else 0.05)
            if readable and not self._receive():
                break
            if writable:
                self._send(last)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.acked} of {last} acknowledged after {timeout} s")
        return self.acked

    def drain(self):
        """After the broker died: the acknowledgements it had still written. Closes the socket."""
        while True:
            select.select([self.sock], [], [], 5)
            if not self._receive():
                break
        self.sock.close()
        return self.acked

    @property
    def rate(self):
        """Acknowledged messages a second, between the first and the last acknowledgement."""
        if not self.first_ack_at or self.last_ack_at <= self.first_ack_at:
            return 0.0
        return (self.acked - self.first) / (self.last_ack_at - self.first_ack_at)

    def close(self):
        try:
            self.sock.setblocking(True)
            self.sock.sendall(BYE)
        except OSError:
            pass
        self.sock.close()
