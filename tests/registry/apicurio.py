"""A real schema registry for the tests: Apicurio Registry from Maven Central, in memory, in a private
folder, on a free port. Fetched once into a cache:

    SLUICE_REGISTRY      folder of the registry  (${XDG_CACHE_HOME:-~/.cache}/sluice/apicurio-registry-3.0.9)
    SLUICE_JAVA          java                    (on PATH)
"""

import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

VERSION = "3.0.9"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice"
HOME = Path(os.environ.get("SLUICE_REGISTRY") or CACHE / f"apicurio-registry-{VERSION}")
JAVA = os.environ.get("SLUICE_JAVA", "java")
# Its parent POM is not on Maven Central: newer versions of this plugin stop there.
COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy"


class Missing(Exception):
    """The machine cannot run a registry: the reason."""


def fetch():
    """The folder of the registry, filled if it is not."""
    if not shutil.which(JAVA):
        raise Missing("no java (Debian: openjdk-17-jre-headless)")
    if (HOME / ".complete").exists():
        return HOME
    if not shutil.which("mvn"):
        raise Missing("no mvn to fetch the registry with (Debian: maven)")
    with tempfile.TemporaryDirectory(prefix="sluice-registry-") as folder:
        done = subprocess.run(
            ["mvn", "-q", "-B", "-ntp", COPY, f"-DoutputDirectory={folder}",
             f"-Dartifact=io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"],
            capture_output=True, text=True, timeout=600, cwd=folder)
        if done.returncode != 0:
            raise Missing("the registry could not be fetched: " + done.stdout.strip()[-300:])
        HOME.mkdir(parents=True, exist_ok=True)
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            archive.extractall(HOME)
    (HOME / ".complete").touch()
    return HOME


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Registry:
    """`user` "name:password": nobody else is let in. `tls` (certificate, key): https only. A restart has
    the same address, and (in memory) knows nothing any more."""

    def __init__(self, folder, user=None, tls=None):
        self.folder, self.user, self.tls, self.process = Path(folder), user, tls, None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.http, self.https, self.management = free_ports(3)
        scheme, port = ("https", self.https) if tls else ("http", self.http)
        self.url = f"{scheme}://127.0.0.1:{port}/apis/ccompat/v7"

    def settings(self):
        yield from (f"quarkus.http.host=127.0.0.1", f"quarkus.http.port={self.http}",
                    f"quarkus.http.ssl-port={self.https}", "quarkus.management.host=127.0.0.1",
                    f"quarkus.management.port={self.management}",
                    "quarkus.http.access-log.enabled=false")
        if self.user:
            name, password = self.user.split(":")
            users = "quarkus.security.users.embedded"
            yield from ("quarkus.http.auth.basic=true", f"{users}.plain-text=true",
                        f"{users}.users.{name}={password}", f"{users}.roles.{name}=sr-admin",
                        "quarkus.http.auth.permission.all.paths=/*",
                        "quarkus.http.auth.permission.all.policy=authenticated")
        if self.tls:
            yield from (f"quarkus.http.ssl.certificate.files={self.tls[0]}",
                        f"quarkus.http.ssl.certificate.key-files={self.tls[1]}",
                        "quarkus.http.insecure-requests=disabled")

    def start(self, timeout=90):
        self.process = subprocess.Popen(
            [JAVA, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
             *(f"-D{setting}" for setting in self.settings()), "-jar",
             str(next(HOME.rglob("*-runner.jar")))],
            cwd=self.folder, stdout=open(self.folder / "out.log", "ab"), stderr=subprocess.STDOUT,
            start_new_session=True)
        until = time.monotonic() + timeout
        while True:
            try:
                self.ask("GET", "/subjects")
                break
            except (OSError, urllib.error.URLError) as problem:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the registry does not start: {problem}; " + (
                        self.folder / "out.log").read_text(errors="replace")[-2000:]) from problem
                time.sleep(0.1)
        self.ask("PUT", "/config", {"compatibility": "BACKWARD"})
        return self

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ask(self, method, path, body=None):
        """What it answers, by Python's own client."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        if self.user:
            request.add_header("Authorization",
                               "Basic " + base64.b64encode(self.user.encode()).decode())
        context = ssl._create_unverified_context() if self.tls else None
        handlers = [urllib.request.ProxyHandler({})]
        if context:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        with urllib.request.build_opener(*handlers).open(request, timeout=10) as reply:
            return json.load(reply)

    def register(self, subject, schema, kind="AVRO", references=()):
        return self.ask("POST", f"/subjects/{subject}/versions", {
            "schema": schema if isinstance(schema, str) else json.dumps(schema), "schemaType": kind,
            "references": list(references)})["id"]
