"""The C ABI's corpus as one file, and what the gate makes of it.

    corpora.py pack FOLDER FILE                    every input of the folder, in one file
    corpora.py unpack FILE FOLDER                  and back
    corpora.py explore SEED COUNT FOLDER TO        COUNT inputs drawn from those of FOLDER, into TO

A packed file is a row of inputs, each behind its length: two bytes, the lower one first. Coverage
of the C ABI depends on which thread was faster, so a fuzzer that follows it tries something else
each time. What `explore` draws depends on the seed, the corpus and the list of functions alone.
"""

import hashlib
import pathlib
import random
import sys

LONGEST = 4096
SYMBOLS = pathlib.Path(__file__).parent.parent / "tests" / "abi" / "gigachat.symbols"


def selector(name):
    """What stands for a function in an input (src/c_api/functions.rs)."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value.to_bytes(4, "little")[:3]


def folder_inputs(folder):
    return [path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())]


def write(inputs, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for at, data in enumerate(inputs):
        (folder / f"{at:05}-{hashlib.sha1(data).hexdigest()[:8]}").write_bytes(data)


def pack(folder, file):
    kept = [data for data in folder_inputs(folder) if 0 < len(data) <= LONGEST]
    packed = b"".join(len(data).to_bytes(2, "little") + data for data in kept)
    pathlib.Path(file).write_bytes(packed)
    print(f"{len(kept)} inputs, {len(packed)} bytes")


def unpack(file, folder):
    packed, inputs = pathlib.Path(file).read_bytes(), []
    while packed:
        length = int.from_bytes(packed[:2], "little")
        inputs.append(packed[2:2 + length])
        packed = packed[2 + length:]
    write(inputs, folder)


class Draw:
    """Random numbers whose row is the same in every version of Python."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def below(self, bound):
        return int(self.random.random() * bound)

    def of(self, things):
        return things[self.below(len(things))]

    def bytes(self, count):
        # Arguments like small numbers: 0 is the latest handle and the first useful value.
        return bytes(self.below(4) if self.below(2) else self.below(256) for _ in range(count))


def changed(data, draw, inputs, selectors):
    """The input after one change: a byte, a piece out, a call in, a piece of another input in."""
    at = draw.below(len(data) + 1)
    change = draw.below(5)
    if change == 0 and data:
        at = min(at, len(data) - 1)
        return data[:at] + draw.bytes(1) + data[at + 1:]
    if change == 1:
        return data[:at] + data[at + 1 + draw.below(8):]
    if change == 2:
        return data[:at] + draw.bytes(1 + draw.below(4)) + data[at:]
    if change == 3:
        return data[:at] + draw.of(selectors) + draw.bytes(draw.below(7)) + data[at:]
    other = draw.of(inputs)
    begin = draw.below(len(other) + 1)
    return data[:at] + other[begin:begin + 4 + draw.below(60)] + data[at:]


def explore(seed, count, folder, to):
    inputs = folder_inputs(folder)
    selectors = [selector(name) for name in SYMBOLS.read_text().split()]
    draw, drawn = Draw(int(seed)), []
    for _ in range(int(count)):
        data = draw.of(inputs)
        for _ in range(1 + draw.below(5)):
            data = changed(data, draw, inputs, selectors)
        drawn.append(data[:LONGEST])
    write(drawn, to)


if __name__ == "__main__":
    commands = {"pack": (pack, 2), "unpack": (unpack, 2), "explore": (explore, 4)}
    command, count = commands.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if command is None or len(sys.argv) != count + 2:
        sys.exit(__doc__)
    command(*sys.argv[2:])
