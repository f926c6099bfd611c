"""HTTP/2 frames, as few as a peer needs that plays a broken server (RFC 9113).

Requests are not understood beyond their stream's number: which request it was is known from the
port. Headers are written as literals without an index (RFC 7541, section 6.2.2).
"""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1

# RFC 9113, section 7.
ERRORS = {
    "NO_ERROR": 0,
    "PROTOCOL_ERROR": 1,
    "INTERNAL_ERROR": 2,
    "FLOW_CONTROL_ERROR": 3,
    "STREAM_CLOSED": 5,
    "REFUSED_STREAM": 7,
    "CANCEL": 8,
    "ENHANCE_YOUR_CALM": 11,
    "HTTP_1_1_REQUIRED": 13,
}


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def text(value):
    """A string of HPACK without Huffman coding."""
    data = value.encode("latin-1")
    if len(data) < 127:
        return bytes((len(data),)) + data
    rest, more = len(data) - 127, b"\x7f"
    while rest >= 128:
        more += bytes((rest % 128 + 128,))
        rest //= 128
    return more + bytes((rest,)) + data


def headers(stream, fields, end=False):
    block = b"".join(b"\x00" + text(name) + text(value) for name, value in fields.items())
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def data(stream, payload, end=False):
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def reset(stream, error):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", ERRORS[error]))


def goaway(last_stream, error):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream, ERRORS[error]))


def read_exactly(connection, count):
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if not piece:
            raise ConnectionError("the client went away")
        received += piece
    return received


class Requests:
    """The requests that arrive on a connection: the stream number of each."""

    def __init__(self, connection):
        self.connection = connection
        read_exactly(connection, len(PREFACE))
        connection.sendall(frame(SETTINGS, 0, 0))

    def next(self):
        """Waits for a request that has arrived whole."""
        while True:
            head = read_exactly(self.connection, 9)
            length = int.from_bytes(head[:3], "big")
            kind, flags = head[3], head[4]
            stream = int.from_bytes(head[5:], "big")
            payload = read_exactly(self.connection, length)
            if kind == SETTINGS and not flags & ACK:
                self.connection.sendall(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.connection.sendall(frame(PING, ACK, 0, payload))
            elif kind in (DATA, HEADERS) and flags & END_STREAM:
                return stream
