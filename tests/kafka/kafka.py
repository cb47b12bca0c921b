"""A real Apache Kafka for the tests: one KRaft node from Maven Central's jars, in a private folder, on
free ports. Jars are fetched once into a cache:

    SLUICE_KAFKA_JARS    folder of the jars    (${XDG_CACHE_HOME:-~/.cache}/sluice/kafka-4.3.1)
    SLUICE_JAVA          java                  (on PATH)
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSION = "4.3.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice"
JARS = Path(os.environ.get("SLUICE_KAFKA_JARS") or CACHE / f"kafka-{VERSION}")
JAVA = os.environ.get("SLUICE_JAVA", "java")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
CLUSTER = "c2x1aWNlLXRlc3RzLWthZg"
ADMIN_TOOLS = "org.apache.kafka.tools."

# What the console consumer puts between the parts of a record; none of it is in any test's bytes.
FIELD, LINE, HEADER = "\x1c|F|\x1c", "\x1c|L|\x1c", "\x1c|H|\x1c"
# Its options for lines that Record reads.
SHOW = [part for setting in (
    "print.timestamp=true", "print.partition=true", "print.offset=true", "print.headers=true",
    "print.key=true", f"key.separator={FIELD}", f"line.separator={LINE}",
    f"headers.separator={HEADER}", "null.literal=\x1cnull\x1c")
    for part in ("--formatter-property", setting)]


class Missing(Exception):
    """The machine cannot run a Kafka: the reason."""


def fetch():
    """The folder of the jars, filled if it is not."""
    if not shutil.which(JAVA):
        raise Missing("no java (Debian: openjdk-17-jre-headless)")
    if (JARS / ".complete").exists():
        return JARS
    if not shutil.which("mvn"):
        raise Missing("no mvn to fetch Kafka's jars with (Debian: maven)")
    JARS.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mvn", "-q", "-B", "-ntp", "-f", HERE / "pom.xml", COPY, "-DincludeScope=runtime",
         f"-DoutputDirectory={JARS}"], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Missing("Kafka's jars could not be fetched: " + done.stdout.strip()[-300:])
    (JARS / ".complete").touch()
    return JARS


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def java(*arguments, heap="192m", **options):
    return [JAVA, f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
            f"{JARS}/*", *map(str, arguments)]


def make_certificates(folder):
    """ca.pem; server.pem (key and certificate for 127.0.0.1); other.pem, an authority that signed nothing."""
    folder.mkdir()

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", "server.key",
            "-out", "server.csr")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", 2, "-extfile", "server.ext", "-out", "server.crt")
    (folder / "server.pem").write_text((folder / "server.key").read_text() +
                                       (folder / "server.crt").read_text())


class Kafka:
    """`secure` adds SASL listeners, one of them with TLS (user alice, password alice-secret; certificates
    in folder/tls), and an authorizer that lets alice do nothing until allow()."""

    def __init__(self, folder, secure=False):
        self.folder, self.secure, self.process = Path(folder), secure, None
        self.folder.mkdir(parents=True)
        plain, controller, sasl, tls = free_ports(4)
        self.address, self.controller = f"127.0.0.1:{plain}", f"127.0.0.1:{controller}"
        self.sasl, self.tls = f"127.0.0.1:{sasl}", f"127.0.0.1:{tls}"
        if secure:
            make_certificates(self.folder / "tls")
        self.write_properties()
        self.write_logging()
        self.tool("kafka.tools.StorageTool", "format", "-c", self.folder / "server.properties", "-t",
                  CLUSTER, bootstrap=False)

    def write_properties(self):
        listeners = f"PLAINTEXT://{self.address}"
        if self.secure:
            listeners += f",SASL_PLAINTEXT://{self.sasl},SASL_SSL://{self.tls}"
        lines = [
            "process.roles=broker,controller", "node.id=1",
            f"controller.quorum.voters=1@{self.controller}", "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT", f"advertised.listeners={listeners}",
            f"listeners={listeners},CONTROLLER://{self.controller}",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
            "SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
            f"log.dirs={self.folder}/data", "auto.create.topics.enable=false",
            "default.replication.factor=1", "min.insync.replicas=1",
            "offsets.topic.replication.factor=1", "offsets.topic.num.partitions=1",
            "transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0", "broker.heartbeat.interval.ms=500",
            "broker.session.timeout.ms=3000", "log.cleaner.dedupe.buffer.size=8388608",
            "num.network.threads=2", "num.io.threads=4",
            "log.retention.ms=-1",  # event times of the tests are old: Kafka would delete them meanwhile
        ]
        if self.secure:
            login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
            lines += [
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:ANONYMOUS", "allow.everyone.if.no.acl.found=false",
                "sasl.enabled.mechanisms=PLAIN",
                *(f'listener.name.{name}.plain.sasl.jaas.config={login} user_alice="alice-secret";'
                  for name in ("sasl_plaintext", "sasl_ssl")),
                "ssl.keystore.type=PEM", f"ssl.keystore.location={self.folder}/tls/server.pem",
            ]
        (self.folder / "server.properties").write_text("\n".join(lines) + "\n")

    def write_logging(self):
        (self.folder / "log4j2.properties").write_text("\n".join([
            "status=error", "shutdownHook=disable", "appender.f.type=File", "appender.f.name=F",
            f"appender.f.fileName={self.folder}/server.log", "appender.f.layout.type=PatternLayout",
            "appender.f.layout.pattern=%d %p %m (%c)%n", "rootLogger.level=INFO",
            "rootLogger.appenderRef.f.ref=F"]) + "\n")

    def start(self, timeout=60):
        log = self.folder / "server.log"
        log.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [JAVA, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*",
             f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties", "kafka.Kafka",
             str(self.folder / "server.properties")],
            stdout=open(self.folder / "out.log", "ab"), stderr=subprocess.STDOUT,
            start_new_session=True)
        until = time.monotonic() + timeout
        while not (log.exists() and "Kafka Server started" in log.read_text(errors="replace")):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("Kafka does not start: " +
                                   (self.folder / "out.log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def tool(self, name, *arguments, bootstrap=True, check=True, timeout=120):
        where = ["--bootstrap-server", self.address] if bootstrap else []
        done = subprocess.run(java(name, *where, *arguments), capture_output=True, timeout=timeout)
        if check and done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stdout.decode()}{done.stderr.decode()[-2000:]}")
        return done

    def create(self, topic, partitions=4, **settings):
        config = [part for key, value in settings.items()
                  for part in ("--config", f"{key.replace('_', '.')}={value}")]
        self.tool(ADMIN_TOOLS + "TopicCommand", "--create", "--topic", topic, "--partitions",
                  partitions, *config)

    def delete(self, topic):
        self.tool(ADMIN_TOOLS + "TopicCommand", "--delete", "--topic", topic)

    def allow(self, topic):
        self.tool("org.apache.kafka.tools.AclCommand" if self.has("AclCommand") else
                  "kafka.admin.AclCommand", "--add", "--allow-principal", "User:alice", "--operation",
                  "Write", "--operation", "Describe", "--topic", topic)

    def bound(self, client, bytes_a_second):
        """A quota for producers of this client.id."""
        self.tool("kafka.admin.ConfigCommand", "--alter", "--entity-type", "clients", "--entity-name",
                  client, "--add-config", f"producer_byte_rate={bytes_a_second}")

    def topics(self):
        return self.tool(ADMIN_TOOLS + "TopicCommand", "--list").stdout.decode().split()

    @staticmethod
    def has(tool):
        import zipfile
        return any(f"org/apache/kafka/tools/{tool}.class" in zipfile.ZipFile(jar).namelist()
                   for jar in JARS.glob("kafka-tools*.jar"))

    def lengths(self, topic):
        """How many records each of the topic's partitions holds."""
        done = self.tool(ADMIN_TOOLS + "GetOffsetShell", "--topic", topic)
        lines = [line.decode().split(":") for line in done.stdout.split() if b":" in line]
        return {int(partition): int(n) for _, partition, n in lines}

    def consume(self, topic):
        """All records, read by Kafka's console consumer: a list of Records. Partition by partition,
        because groups need a coordinator, which is long in coming after a fault."""
        records = []
        for partition, n in self.lengths(topic).items():
            if n == 0:
                continue
            done = self.tool(ADMIN_TOOLS + "consumer.ConsoleConsumer", "--topic", topic,
                             "--partition", partition, "--offset", "earliest", "--timeout-ms", 120000,
                             "--max-messages", n, *SHOW, check=False, timeout=600)
            found = [Record(line) for line in done.stdout.split(LINE.encode())[:-1]]
            assert len(found) == n, \
                f"{topic}-{partition} holds {n} records, the consumer read {len(found)}: " + \
                done.stderr.decode(errors="replace")[-1000:]
            records += found
        return records


class Record:
    """One line of the console consumer."""

    def __init__(self, line):
        parts = line.split(FIELD.encode())
        stamp, partition, offset, headers, key, self.value = parts
        self.timestamp = int(stamp.split(b":")[1])
        self.partition, self.offset = int(partition.split(b":")[1]), int(offset.split(b":")[1])
        self.key = None if key == b"\x1cnull\x1c" else key
        self.headers = ([] if headers == b"NO_HEADERS" else
                        [tuple(h.split(b":", 1)) for h in headers.split(HEADER.encode())])

    @property
    def id(self):
        return dict(self.headers).get(b"sluice.id")

    @property
    def seq(self):
        return int(self.value.split(b" ", 1)[0])
