"""Writes a C program part that has everything of the public header in its debug information.

The header declares functions and defines macros; neither leaves a trace in an object file. So each
function becomes a variable of its type, and all integer constants together one enumeration. What
they are is read from the header by the compiler, not by this program, which looks for names only.

    python3 describe.py include/gigachat.h > described.c
"""

import re
import sys

header = open(sys.argv[1], encoding="utf-8").read()
code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)

functions = re.findall(r"GIGACHAT_API\s[^;]*?\b(gigachat_\w+)\s*\(", code)
# The version changes with each release; the length of NUL-terminated texts fits no enumerator.
constants = [
    name
    for name in re.findall(r"^#define (GIGACHAT_\w+) ", code, flags=re.MULTILINE)
    if not re.match(r"GIGACHAT_(VERSION_\w+|ZT|API|H)$", name)
]
types = sorted(set(re.findall(r"^typedef [^;]*?\b(gigachat_\w+)\s*(?:;|\))", code, flags=re.MULTILINE)))
assert len(functions) > 100 and len(constants) > 30 and len(types) > 15, "the header was not understood"

print('#include "gigachat.h"')
print("enum gigachat_constants {")
for name in constants:
    print(f"    value_of_{name} = {name},")
print("};")
print("enum gigachat_constants constants;")
print("__typeof__(GIGACHAT_ZT) value_of_GIGACHAT_ZT;")
for name in types:
    # Behind a pointer, since most are incomplete.
    print(f"{name} *type_{name};")
for name in functions:
    print(f"__typeof__({name}) *function_{name};")
