"""What a driver meets: an emulator, a peer that plays bytes, and places that lead astray.

Each lane has a world of its own, so that lanes do not disturb each other.
"""

import base64
import contextlib
import http.client
import itertools
import json
import socket
import struct
import threading
import urllib.parse

import peer
import support
import table


class Places:
    """URLs behind which nobody, or the wrong one, answers."""

    def __init__(self, environment):
        self.kept = []
        self.environment = environment
        self.ports = {
            "refused": self.refused(),
            "black_hole": self.black_hole(),
            "resets": self.resets(),
            "never_accepts": self.never_accepts(),
            "plain_text": self.plain_text(),
        }

    def keep(self, *sockets):
        self.kept.extend(sockets)
        return sockets[0].getsockname()[1]

    def refused(self):
        """Bound and not listening, so that nobody else gets the port."""
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        return self.keep(bound)

    def never_accepts(self):
        """The kernel takes the connection, nobody ever reads from it."""
        return self.keep(socket.create_server(("127.0.0.1", 0), backlog=512))

    def black_hole(self):
        """A full queue of connections: the kernel drops every further attempt without a word."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        return self.keep(listener, *fillers)

    def resets(self):
        """Takes every connection and breaks it with RST at once."""

        def break_it(connection):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        return self.keep(self.serving(break_it))

    def plain_text(self):
        """Something that speaks, but not TLS."""
        return self.keep(self.serving(lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n")))

    @staticmethod
    def serving(greet):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)

        def serve():
            while listener.fileno() != -1:
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        greet(connection)

        threading.Thread(target=serve, daemon=True).start()
        return listener

    def close(self):
        for one in self.kept:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
            one.close()

    def url(self, place, version):
        """The URL without a path. `version` 1 is plain HTTP where the place has no TLS of its own."""
        if place == "no_such_host":
            return "https://no-such-host.invalid"
        if place in self.ports:
            scheme, host = ("http", "127.0.0.1") if version == 1 else ("https", "localhost")
            return f"{scheme}://{host}:{self.ports[place]}"
        named = {"client_certificate": "MTLS"}.get(place, place.upper())
        url = urllib.parse.urlsplit(self.environment[f"GIGACHAT_EMULATOR_{named}_BASE_URL"])
        return f"{url.scheme}://{url.netloc}"


class World:
    """Arms the fault of a case, and tells what the service saw."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.emulator = support.Emulator("--concurrency", "0", "--no-rate-limit")
        self.environment = self.emulator.environment
        # One connection, so that what is counted here is the driver's alone.
        control = urllib.parse.urlsplit(self.emulator.control)
        self.control = http.client.HTTPConnection(control.hostname, control.port, timeout=30)
        self.places = Places(self.environment)
        certificate = self.environment["GIGACHAT_EMULATOR_SERVER_CERT_FILE"]
        self.peer = peer.RemotePeer(certificate, self.environment["GIGACHAT_EMULATOR_SERVER_KEY_FILE"])

    def close(self):
        self.control.close()
        self.peer.close()
        self.places.close()
        self.emulator.__exit__()

    def ask(self, method, path, body=None):
        try:
            return self.ask_once(method, path, body)
        except (OSError, http.client.HTTPException):
            # The emulator was restarted on purpose, or closed an idle connection.
            self.control.close()
            return self.ask_once(method, path, body)

    def ask_once(self, method, path, body):
        text = None if body is None else json.dumps(body)
        self.control.request(method, f"/_emulator/{path}", text)
        answer = self.control.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise AssertionError(f"the emulator refuses {path}: {content.decode()}")
        return json.loads(content)

    def options(self, case):
        """The provider's options for a case: where it is led, and a credential and connections of its own."""
        base_url, token_url = self.emulator_urls(case.http)
        if case.peer is not None:
            base_url = self.peer.base_url(case.http)
            token_url = self.peer.token_url(case.http if case.endpoint == "token" else 1)
        if case.place is not None and case.endpoint == "token":
            token_url = self.places.url(case.place, case.http) + "/api/v2/oauth"
        elif case.place is not None:
            base_url = self.places.url(case.place, case.http) + "/api/v1"
        options = {
            "base_url": base_url,
            "token_url": token_url,
            "authorization_key": self.new_key(),
            "ca_bundle_file": self.environment["GIGACHAT_CA_BUNDLE_FILE"],
            **case.options,
        }
        # Providers share connections if they agree in this, too; the connections of the case before
        # would be met as reused ones.
        if options["connect_timeout_ms"] == table.DEFAULTS["connect_timeout_ms"]:
            options["connect_timeout_ms"] += next(self.numbers)
        return options

    def emulator_urls(self, version):
        if version == 1:
            return f"{self.emulator.control}/api/v1", f"{self.emulator.control}/api/v2/oauth"
        return self.environment["GIGACHAT_BASE_URL"], self.environment["GIGACHAT_AUTH_URL"]

    def new_key(self):
        """A client that nobody has asked a token for."""
        known = base64.b64decode(self.environment["GIGACHAT_CREDENTIALS"]).decode()
        secret = known.rpartition(":")[2]
        return base64.b64encode(f"matrix-{next(self.numbers)}:{secret}".encode()).decode()

    def arm(self, case):
        self.ask("POST", "reset")
        if case.peer is not None:
            self.peer.play(case.endpoint, case.peer, case.times)
        if case.emulator:
            endpoint = {"unary": "chat", "health": "models"}.get(case.endpoint, case.endpoint)
            faults = [{"endpoint": endpoint, "times": case.times, "action": action} for action in case.emulator]
            self.ask("POST", "faults", faults)

    def disarm(self, case):
        if case.peer is not None:
            self.peer.behave()
        if case.emulator:
            self.ask("DELETE", "faults")

    def requests(self, case):
        """The connections that carried requests to the case's endpoint, in their order."""
        if case.peer is not None:
            seen = self.peer.requests
        else:
            recorded = self.ask("GET", "requests")
            seen = [(peer.endpoint_of(r["path"], r["body"].encode()), r["connection"]) for r in recorded]
        return [connection for endpoint, connection in seen if endpoint == case.endpoint]
