"""A TCP proxy in front of the server that can swallow the answer to a COMMIT."""

import socket
import threading


class Proxy:
    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.swallow = 0  # answers to COMMIT still to be lost
        self.swallowed = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            state = {"deaf": False}
            threading.Thread(target=self.carry, args=(client, server, state, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, state, False), daemon=True).start()

    def carry(self, source, sink, state, is_client):
        try:
            while data := source.recv(65536):
                if is_client and data.startswith(b"Q\0\0\0\x0bCOMMIT\0"):
                    with self.lock:
                        if self.swallow > 0:
                            self.swallow -= 1
                            state["deaf"] = True
                if not is_client and state["deaf"]:
                    self.swallowed += 1  # the server has committed: its answer goes nowhere
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
