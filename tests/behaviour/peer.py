"""A server that plays back bytes: what no server does that is written with an HTTP library.

It answers in good order (a token, a completion, a stream, a list of models) until it is told to
play a list of steps instead. HTTP/1.1 on a plain port, HTTP/2 on a TLS port.

Steps of both: `{"pause": ms}`, "stall" (until the client goes), "close" (FIN), "reset" (RST).
HTTP/1.1: any other text is sent as it is, with `{seconds+n}` and `{millis+n}` the time then;
"usual" (the answer in good order); `{"hex": "ff00"}`; `{"split": text, "at": n}` in two pieces;
`{"cut": text, "bytes": n}`, the beginning of it; `{"repeat": text, "every_ms": n, "times": n}`
(0 times: for ever).
HTTP/2: `{"headers": {..}, "end": true}`, `{"data": text, "end": true}`, `{"rst": "CANCEL"}`,
`{"goaway": "NO_ERROR", "last": 0 or "this"}`, `{"raw": "hex of frames", "times": n}`, where
`STREAM` is the stream's number.
"""

import contextlib
import json
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import h2

COMPLETION = {
    "choices": [{"message": {"role": "assistant", "content": "hello"}, "index": 0, "finish_reason": "stop"}],
    "created": 1,
    "model": "GigaChat:1",
    "object": "chat.completion",
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
TOKEN = {"access_token": "a-token-of-the-peer", "expires_at": 0}
MODELS = {"object": "list", "data": [{"id": "GigaChat", "object": "model", "owned_by": "s", "type": "chat"}]}
STREAM = (
    'data: {"choices":[{"delta":{"content":"hello"},"index":0}],"model":"GigaChat:1"}\n\n'
    'data: {"choices":[{"delta":{"content":""},"index":0,"finish_reason":"stop"}],"model":"GigaChat:1"}\n\n'
    "data: [DONE]\n\n"
)
# Between two pieces that are to be read apart.
APART = 0.002


def usual(endpoint):
    """The type and the body of an answer in good order."""
    if endpoint == "token":
        in_half_an_hour = int((time.time() + 1800) * 1000)
        return "application/json", json.dumps({**TOKEN, "expires_at": in_half_an_hour})
    if endpoint == "stream":
        return "text/event-stream", STREAM
    return "application/json", json.dumps(MODELS if endpoint == "health" else COMPLETION)


class RemotePeer:
    """The peer in a process of its own, where nothing of the harness takes its time."""

    def __init__(self, certificate, key):
        command = [sys.executable, str(pathlib.Path(__file__).resolve()), certificate, key]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = json.loads(self.process.stdout.readline())

    def base_url(self, http):
        kind = ("http://127.0.0.1", "plain") if http == 1 else ("https://localhost", "api")
        return f"{kind[0]}:{self.ports[kind[1]]}/v1"

    def token_url(self, http):
        kind = ("http://127.0.0.1", "plain") if http == 1 else ("https://localhost", "oauth")
        return f"{kind[0]}:{self.ports[kind[1]]}/oauth"

    def play(self, *described):
        self.ask("play", *described)

    def behave(self):
        self.ask("behave")

    @property
    def requests(self):
        return [tuple(request) for request in self.ask("seen")]

    def ask(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Gone(Exception):
    """This connection is over."""


class Peer:
    """Serves both ports on threads of its own; `requests` lists what came: endpoint, connection."""

    def __init__(self, certificate, key):
        self.lock = threading.Lock()
        self.steps, self.endpoint, self.times = [], None, 0
        self.requests = []
        self.connections = 0
        self.api_endpoint = "unary"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.tls.set_alpn_protocols(["h2"])
        self.plain = self.listen(self.serve_http1)
        self.api = self.listen(lambda *connection: self.serve_http2(*connection, lambda: self.api_endpoint))
        self.oauth = self.listen(lambda *connection: self.serve_http2(*connection, lambda: "token"))

    def listen(self, serve):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        threading.Thread(target=self.accept, args=(listener, serve), daemon=True).start()
        return listener.getsockname()[1]

    def seen(self):
        with self.lock:
            return list(self.requests)

    def play(self, endpoint, steps, times):
        """The next `times` requests (0: all) of this endpoint get these steps."""
        with self.lock:
            self.endpoint, self.steps, self.times = endpoint, steps, times or 10**9
            self.api_endpoint = "unary" if endpoint == "token" else endpoint
            self.requests = []

    def behave(self):
        with self.lock:
            self.endpoint = None

    def accept(self, listener, serve):
        while True:
            connection, _ = listener.accept()
            with self.lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self.serve, args=(connection, number, serve), daemon=True).start()

    @staticmethod
    def serve(connection, number, serve):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, Gone), connection:
            serve(connection, number)

    def arrived(self, endpoint, number):
        """Notes a request; the steps to play for it, or None."""
        with self.lock:
            self.requests.append((endpoint, number))
            if self.endpoint != endpoint or self.times == 0:
                return None
            self.times -= 1
            return self.steps

    def serve_http1(self, connection, number):
        reader = connection.makefile("rb")
        while True:
            path, body = read_http1(reader)
            endpoint = endpoint_of(path, body)
            steps = self.arrived(endpoint, number)
            if steps is None:
                kind, text = usual(endpoint)
                connection.sendall(whole_http1(kind, text))
                continue
            for step in steps:
                play_http1(connection, endpoint, step)

    def serve_http2(self, connection, number, endpoint_now):
        with self.tls.wrap_socket(connection, server_side=True) as secured:
            requests = h2.Requests(secured)
            while True:
                stream = requests.next()
                # Requests are not read: one port serves one endpoint at a time.
                endpoint = endpoint_now()
                steps = self.arrived(endpoint, number)
                if steps is None:
                    kind, text = usual(endpoint)
                    secured.sendall(h2.headers(stream, {":status": "200", "content-type": kind}))
                    secured.sendall(h2.data(stream, text.encode(), end=True))
                    continue
                for step in steps:
                    # The stream stalls; others on this connection go on.
                    if step == "stall":
                        break
                    play_http2(secured, stream, step)


def endpoint_of(path, body):
    if path.endswith("/oauth"):
        return "token"
    if path.endswith("/models"):
        return "health"
    return "stream" if b'"stream":true' in body else "unary"


def read_http1(reader):
    line = reader.readline()
    if not line:
        raise Gone
    length = 0
    while (header := reader.readline()) not in (b"\r\n", b""):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return line.split(b" ")[1].decode(), reader.read(length)


def whole_http1(kind, text):
    body = text.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def play_common(connection, step):
    if step == "stall":
        while connection.recv(65536):
            pass
        raise Gone
    if step == "close":
        raise Gone
    if step == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone
    if "pause" in step:
        time.sleep(step["pause"] / 1000)
        return True
    return False


def play_http1(connection, endpoint, step):
    if step == "usual":
        connection.sendall(whole_http1(*usual(endpoint)))
    elif isinstance(step, str) and step not in ("stall", "close", "reset"):
        connection.sendall(with_times(step).encode())
    elif isinstance(step, dict) and "hex" in step:
        connection.sendall(bytes.fromhex(step["hex"]))
    elif isinstance(step, dict) and "split" in step:
        whole = step["split"].encode()
        connection.sendall(whole[: step["at"]])
        time.sleep(APART)
        connection.sendall(whole[step["at"] :])
    elif isinstance(step, dict) and "cut" in step:
        connection.sendall(step["cut"].encode()[: step["bytes"]])
    elif isinstance(step, dict) and "repeat" in step:
        repeat(connection, step)
    elif not play_common(connection, step):
        raise ValueError(f"no step {step}")


def repeat(connection, step):
    piece, left, every_ms = step["repeat"].encode(), step.get("times", 0) or 10**12, step.get("every_ms")
    if every_ms is None:
        # In a hurry, so many at once.
        many = min(left, 1000)
        piece, left = piece * many, -(-left // many)
    while left > 0:
        connection.sendall(piece)
        left -= 1
        time.sleep((every_ms or 0) / 1000)


def with_times(text):
    def now(found):
        unit = {"seconds": 1, "millis": 1000}[found[1]]
        return str(int((time.time() + int(found[2])) * unit))

    return re.sub(r"\{(seconds|millis)([+-]\d+)\}", now, text)


def play_http2(connection, stream, step):
    end = isinstance(step, dict) and step.get("end", False)
    if isinstance(step, dict) and "headers" in step:
        connection.sendall(h2.headers(stream, step["headers"], end))
    elif isinstance(step, dict) and "data" in step:
        connection.sendall(h2.data(stream, step["data"].encode(), end))
    elif isinstance(step, dict) and "rst" in step:
        connection.sendall(h2.reset(stream, step["rst"]))
    elif isinstance(step, dict) and "goaway" in step:
        connection.sendall(h2.goaway(stream if step["last"] == "this" else step["last"], step["goaway"]))
    elif isinstance(step, dict) and "raw" in step:
        frames = bytes.fromhex(step["raw"].replace("STREAM", f"{stream:08x}"))
        connection.sendall(frames * step.get("times", 1))
    elif not play_common(connection, step):
        raise ValueError(f"no step {step}")


def main():
    peer = Peer(*sys.argv[1:])
    print(json.dumps({"plain": peer.plain, "api": peer.api, "oauth": peer.oauth}), flush=True)
    for line in sys.stdin:
        verb, *described = json.loads(line)
        print(json.dumps(getattr(peer, verb)(*described)), flush=True)


if __name__ == "__main__":
    main()
