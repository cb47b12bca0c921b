"""A small schema registry of the tests: subjects in memory, answers as Confluent's REST gives them, and it
can go away, hang, and come back at the same address. (The real one is asked in tests/registry.)"""

import http.server
import json
import threading
import time
import urllib.parse


class Registry:
    def __init__(self):
        self.subjects, self.ids, self.asked = {}, {}, []
        self.hanging = threading.Event()
        self.server, self.port = None, 0
        self.start()

    # -- life ----------------------------------------------------------------------------------------

    def start(self):
        handler = type("Handler", (Handler,), {"registry": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # -- content -------------------------------------------------------------------------------------

    def register(self, subject, schema, kind="AVRO", references=()):
        """Returns the id. Ids skip, as Apicurio's do."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        entry = {"schema": text, "references": list(references)}
        if kind != "AVRO":
            entry["schemaType"] = kind
        versions = self.subjects.setdefault(subject, [])
        for other in versions:
            if other["schema"] == text:
                return other["id"]
        known = next((i for i, e in self.ids.items() if e == entry), None)
        id_ = known if known is not None else 2 * len(self.ids) + 7
        self.ids[id_] = entry
        versions.append({**entry, "subject": subject, "id": id_, "version": len(versions) + 1})
        return id_

    def answer(self, method, path, body):
        """(status, body)"""
        parts = [urllib.parse.unquote(part) for part in path.split("?")[0].split("/")[1:]]
        if parts == ["subjects"]:
            return 200, list(self.subjects)
        if parts[:2] == ["schemas", "ids"]:
            entry = self.ids.get(int(parts[2]))
            return (200, entry) if entry else (404, error(40403, "no such id"))
        if parts[0] == "subjects" and method == "POST" and parts[2:] == ["versions"]:
            return 200, {"id": self.register(parts[1], body["schema"], body.get("schemaType", "AVRO"))}
        versions = self.subjects.get(parts[1])
        if versions is None:
            return 404, error(40401, "no such subject")
        if method == "POST":
            found = [v for v in versions if v["schema"] == body["schema"]]
            return (200, found[0]) if found else (404, error(40403, "no such schema"))
        if parts[2:] == ["versions"]:
            return 200, [v["version"] for v in versions]
        number = len(versions) if parts[3] == "latest" else int(parts[3])
        return (200, versions[number - 1]) if 0 < number <= len(versions) else \
            (404, error(40402, "no such version"))


def error(code, message):
    return {"error_code": code, "message": message}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry = None

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.registry.asked.append(f"{self.command} {self.path}")
        while self.registry.hanging.is_set():
            time.sleep(0.02)
        status, answer = self.registry.answer(self.command, self.path, body)
        data = json.dumps(answer).encode()
        self.close_connection = True
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            pass  # who asked has gone

    do_GET = do_POST = serve

    def log_message(self, *_):
        pass
