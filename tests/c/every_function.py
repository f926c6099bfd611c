"""I12. Writes a C program that misuses every function of the header, argument by argument.

For each function and each of its arguments: NULL, garbage words, freed handles and handles of
other types where a handle is wanted; NULL, broken UTF-8 and impossible lengths where a text is
wanted; NULL where a result would go. All other arguments are good. What must come of it follows
from the header's chapter "Conventions", so a new function is tested without a line here, unless
it has an argument that may be NULL.

    python3 every_function.py include/gigachat.h > every_function.c
"""

import re
import sys

# Arguments that may be NULL, by their name, or by function and name.
OPTIONAL = {
    "params", "cancel", "error", "length", "user_data", "destroy", "latency_us", "rows", "columns",
    "gigachat_provider_permits.limit", "gigachat_provider_permits.held",
    "gigachat_provider_permits.by_streams", "gigachat_provider_permits.waiting",
    "gigachat_set_log_callback.callback", "gigachat_set_thread_hooks.start",
    "gigachat_set_thread_hooks.stop", "gigachat_router_new.options", "gigachat_router_add.id",
    "gigachat_custom_options_set_generate.callback", "gigachat_custom_options_set_stream.callback",
    "gigachat_custom_options_set_health_check.callback",
}
# What accessors give for a handle that is not alive, if not 0 or NULL.
NOTHING = {
    "gigachat_error_status": "GIGACHAT_ERROR_INVALID_HANDLE",
    "gigachat_error_retry_after_ms": "-1",
    "gigachat_response_count_at": "-1",
    "gigachat_reply_is_cancelled": "true",
}
# Builders and calls that change the one handle that they are given are harmless here; these are not.
NEVER_CALLED = {"gigachat_shutdown"}

# The name of each program-wide good handle is its type's, without the prefix.
PROLOGUE = r"""
/* Made by every_function.py from the header. */
#include "fixture.h"

int main(void);

static gigachat_error *error;
static gigachat_config *config;
static gigachat_params *params;
static gigachat_request *request;
static gigachat_cancel *cancel;
static gigachat_provider *provider;
static gigachat_response *response;
static gigachat_event *event;
static gigachat_stream *stream;
static gigachat_call *call;
static gigachat_queue *queue;
static gigachat_router_options *router_options;
static gigachat_provider *router;
static gigachat_text *text;
static gigachat_custom_options *custom_options;
static gigachat_reply *reply;

static gigachat_provider *own;
static gigachat_call *answered_by_reply;
static gigachat_reply *stream_reply;
static gigachat_stream *fed_by_reply;
static Count replies = COUNT_OF_NOTHING;

/* Words that are no live handle of any type; some were. */
static void *dead[40];
static size_t dead_count;

static void unused_call(void *data, gigachat_call *done, gigachat_status status) {
    (void)data;
    (void)done;
    (void)status;
    CHECK(!"a callback of a refused call");
}

static void unused_cancelled(void *data) {
    (void)data;
    CHECK(!"a callback of a refused reply");
}

static void keep_reply(void *data, const char *asked, gigachat_reply *given) {
    (void)data;
    CHECK(asked != NULL);
    reply = given;
    count_up(&replies);
}

static void keep_stream_reply(void *data, const char *asked, gigachat_reply *given) {
    (void)data;
    CHECK(asked != NULL);
    stream_reply = given;
    count_up(&replies);
}

static void open_all(void) {
    int before = count_now(&replies);
    gigachat_queue_take(NULL, 0, NULL, 0, NULL, &error);
    config = open_config();
    CHECK_OK(gigachat_params_new(&params, NULL));
    request = open_request("repeat: x", NULL);
    CHECK_OK(gigachat_cancel_new(&cancel, NULL));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    CHECK_OK(gigachat_generate(provider, "x", 1, NULL, NULL, &response, NULL));
    CHECK_OK(gigachat_generate_stream(provider, "count to 3", GIGACHAT_ZT, NULL, &stream, NULL));
    CHECK_OK(gigachat_stream_next(stream, -1, &event, NULL));
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_router_options_new(&router_options, NULL));
    CHECK_OK(gigachat_router_new(router_options, &router, NULL));
    CHECK_OK(gigachat_router_metrics_json(router, &text, NULL));
    CHECK_OK(gigachat_custom_options_new("own", 3, &custom_options, NULL));
    CHECK_OK(gigachat_custom_options_set_generate(custom_options, keep_reply));
    CHECK_OK(gigachat_custom_options_set_stream(custom_options, keep_stream_reply));
    CHECK_OK(gigachat_custom_new(custom_options, NULL, NULL, &own, NULL));
    CHECK_OK(gigachat_generate_start(own, "x", 1, NULL, &answered_by_reply, NULL));
    CHECK_OK(gigachat_generate_stream(own, "x", 1, NULL, &fed_by_reply, NULL));
    CHECK(count_reaches(&replies, before + 2));
}

static void free_all(void) {
    gigachat_error_free(error);
    gigachat_config_free(config);
    gigachat_params_free(params);
    gigachat_request_free(request);
    gigachat_cancel_free(cancel);
    gigachat_provider_free(provider);
    gigachat_response_free(response);
    gigachat_event_free(event);
    gigachat_stream_free(stream);
    gigachat_call_free(call);
    gigachat_queue_free(queue);
    gigachat_router_options_free(router_options);
    gigachat_provider_free(router);
    gigachat_text_free(text);
    gigachat_custom_options_free(custom_options);
    gigachat_reply_free(reply);
    gigachat_reply_free(stream_reply);
    gigachat_stream_free(fed_by_reply);
    gigachat_provider_free(own);
    gigachat_call_free(answered_by_reply);
}

static void is_dead(void *word) {
    dead[dead_count++] = word;
}

static void is_dead_number(uintptr_t number) {
    void *word;
    memcpy(&word, &number, sizeof word);
    is_dead(word);
}

static void collect_the_dead(void) {
    uintptr_t number;
    open_all();
    is_dead(error), is_dead(config), is_dead(params), is_dead(request), is_dead(cancel);
    is_dead(provider), is_dead(response), is_dead(event), is_dead(stream);
    is_dead(call), is_dead(queue), is_dead(router_options), is_dead(router), is_dead(text);
    is_dead(custom_options), is_dead(reply);
    memcpy(&number, &provider, sizeof number);
    free_all();
    CHECK(gigachat_live_handles() == 0);
    is_dead_number(1);
    is_dead_number(8);
    is_dead_number((uintptr_t)-1);
    is_dead_number((uintptr_t)0xdeadbeef);
    is_dead_number((uintptr_t)1 << 63);
    is_dead_number(number ^ (uintptr_t)1 << 55);
    is_dead_number(number ^ (uintptr_t)1 << 60);
    is_dead_number(number + 1000000);
    is_dead(&number);
    is_dead((void *)(intptr_t)main);
}

static void check_refusal(gigachat_status status, gigachat_status wanted, gigachat_error **why,
                          const char *what) {
    char line[256];
    snprintf(line, sizeof line, "%s is %s, not %s", what, gigachat_status_name(status),
             gigachat_status_name(wanted));
    check_that(status == wanted, line, __FILE__, __LINE__);
    snprintf(line, sizeof line, "%s: the error says the same", what);
    check_that(gigachat_error_status(*why) == wanted && gigachat_error_message(*why, NULL) != NULL,
               line, __FILE__, __LINE__);
    gigachat_error_free(*why);
}

static void check_value(int good, const char *what) {
    check_that(good, what, __FILE__, __LINE__);
}

"""

EPILOGUE = r"""
    free_all();
    return finish();
}
"""

HANDLES = ["error", "config", "params", "request", "cancel", "provider", "response",
           "event", "stream", "call", "queue", "router_options", "text", "custom_options", "reply"]
# Builders keep the first setting that was refused: a setter gets one of its own.
BUILDERS = {
    "config": "gigachat_config_new(&fresh, NULL)",
    "params": "gigachat_params_new(&fresh, NULL)",
    "request": 'gigachat_request_new("chat", 4, &fresh, NULL)',
    "router_options": "gigachat_router_options_new(&fresh, NULL)",
    "custom_options": 'gigachat_custom_options_new("own", 3, &fresh, NULL)',
}
# Where another handle of the type is wanted: by the argument's name, or by function and name.
OTHERS = {"router": "router", "gigachat_reply_push.reply": "stream_reply"}
CALLBACKS = {"gigachat_call_callback": "unused_call", "gigachat_custom_callback": "keep_reply",
             "gigachat_reply_cancelled_callback": "unused_cancelled"}
BAD_TEXTS = [  # (what, pointer, length, status)
    ("a NULL text", "NULL", "3", "GIGACHAT_ERROR_NULL_ARGUMENT"),
    ("a NULL text up to its NUL", "NULL", "GIGACHAT_ZT", "GIGACHAT_ERROR_NULL_ARGUMENT"),
    ("a byte that is no UTF-8", r'"a\xff"', "2", "GIGACHAT_ERROR_INVALID_UTF8"),
    ("half a character", r'"\xd0"', "GIGACHAT_ZT", "GIGACHAT_ERROR_INVALID_UTF8"),
    ("an overlong NUL", r'"\xc0\x80"', "2", "GIGACHAT_ERROR_INVALID_UTF8"),
    ("a surrogate", r'"\xed\xa0\x80"', "3", "GIGACHAT_ERROR_INVALID_UTF8"),
    ("an absurd length", '"x"', "SIZE_MAX - 1", "GIGACHAT_ERROR_INVALID_UTF8"),
    ("half of all memory", '"x"', "SIZE_MAX / 2 + 1", "GIGACHAT_ERROR_INVALID_UTF8"),
]


class Argument:
    """One parameter of a prototype."""

    def __init__(self, text):
        self.type, self.name = re.fullmatch(r"(.*?)(\w+)", text.strip(), re.S).groups()
        self.type = " ".join(self.type.split())
        bare = self.type.replace("const ", "")
        match = re.fullmatch(r"gigachat_(\w+) \*", bare)
        self.handle = match.group(1) if match and match.group(1) in HANDLES else None
        self.out_handle = re.fullmatch(r"gigachat_(\w+) \*\*", bare)
        self.error_slot = bare == "gigachat_error **"
        self.text = self.type == "const char *"
        self.out = bare.endswith("*") and not self.handle and not self.text and bare != "void *"
        self.callback = bare.endswith("_callback")

    def good(self):
        """An expression that is right for this argument."""
        if self.error_slot:
            return "&why"
        if self.handle:
            return OTHERS.get(self.name, self.handle)
        if self.out_handle:
            return f"&out_{self.name}"
        if self.text:
            return '"x"'
        if self.out:
            return "room" if self.name == "tags" else f"&out_{self.name}"
        if self.callback:
            return CALLBACKS.get(self.type.strip(), "NULL")
        return {"void *": "NULL", "const void *": '"x"', "bool": "true",
                "double": "0.5"}.get(self.type, "1")

    def empty(self):
        """NULL, or 0."""
        return "NULL" if "*" in self.type or self.callback else "0"


class Function:
    """A prototype of the header."""

    def __init__(self, returns, name, arguments):
        self.returns = " ".join(returns.split())
        self.name = name
        self.arguments = [] if arguments.strip() == "void" else [
            Argument(argument) for argument in arguments.split(",")]

    def is_setter(self):
        """Whether it changes a builder and makes no error handle."""
        return (self.returns == "gigachat_status" and bool(self.arguments)
                and self.arguments[0].handle in BUILDERS and not self.arguments[-1].error_slot)

    def optional(self, argument):
        return argument.name in OPTIONAL or f"{self.name}.{argument.name}" in OPTIONAL

    def call(self, **other):
        if self.is_setter():
            other = {self.arguments[0].name: "fresh", **other}
        values = (other.get(argument.name)
                  or OTHERS.get(f"{self.name}.{argument.name}")
                  or argument.good() for argument in self.arguments)
        return f"{self.name}({', '.join(values)})"

    def outs(self):
        """Declarations of what the good out-parameters point to, and how handles end."""
        declared, freed = [], []
        if self.is_setter():
            kind = self.arguments[0].handle
            declared.append(f"gigachat_{kind} *fresh = NULL; gigachat_status made = {BUILDERS[kind]};")
            freed.append(f"CHECK_OK(made); gigachat_{kind}_free(fresh);")
        for argument in self.arguments:
            if argument.error_slot:
                declared.append("gigachat_error *why = NULL;")
            elif argument.out_handle:
                kind = argument.out_handle.group(1)
                declared.append(f"gigachat_{kind} *out_{argument.name} = NULL;")
                freed.append(f"gigachat_{kind}_free(out_{argument.name});")
            elif argument.name == "tags":
                declared.append("uint64_t room[1]; (void)room;")
            elif argument.type == "const char **":
                declared.append(f"const char *out_{argument.name} = NULL; (void)out_{argument.name};")
            elif argument.out:
                declared.append(f"{argument.type.replace(' *', '')} out_{argument.name} = 99; "
                                f"(void)out_{argument.name};")
        return declared, freed


def refusal(function, what, wanted, **other):
    """A block that calls with one wrong argument, with and without an error slot."""
    declared, freed = function.outs()
    lines = ["{", *(f"    {line}" for line in declared)]
    if function.is_setter():
        lines.append(f"    CHECK_STATUS({function.call(**other)}, {wanted});")
        return lines + [f"    {line}" for line in freed] + ["}"]
    lines.append(f'    check_refusal({function.call(**other)}, {wanted}, &why, "{what}");')
    lines.append(f"    CHECK_STATUS({function.call(**dict(other, error='NULL'))}, {wanted});")
    for argument in function.arguments:
        named = argument.name in other or argument.name in ("error", "tags")
        if argument.out_handle and not named:
            lines.append(f"    CHECK(out_{argument.name} == NULL);")
        elif argument.out and not named:
            lines.append(f"    CHECK(out_{argument.name} == 0);")
    return lines + [f"    {line}" for line in freed] + ["}"]


def refusals_of(function):
    """Every wrong argument of a function that returns a status."""
    for at, argument in enumerate(function.arguments):
        what = f"{function.name} with"
        if argument.handle:
            kind = f"({argument.type})"
            if not function.optional(argument):
                yield refusal(function, f"{what} NULL as {argument.name}",
                              "GIGACHAT_ERROR_NULL_ARGUMENT", **{argument.name: "NULL"})
            block = refusal(function, f"{what} a dead {argument.name}",
                            "GIGACHAT_ERROR_INVALID_HANDLE", **{argument.name: f"{kind}dead[at]"})
            yield ["for (at = 0; at < dead_count; at++)", *block]
            for other in HANDLES:
                if other != argument.handle:
                    yield refusal(function, f"{what} a {other} as {argument.name}",
                                  "GIGACHAT_ERROR_INVALID_HANDLE",
                                  **{argument.name: f"{kind}(void *){other}"})
        elif argument.text:
            length = function.arguments[at + 1].name
            for mistake, pointer, size, wanted in BAD_TEXTS:
                yield refusal(function, f"{what} {mistake} as {argument.name}", wanted,
                              **{argument.name: pointer, length: size})
            declared, freed = function.outs()
            bad = function.call(**{argument.name: "(const char *)8", length: "0"})
            yield ["{", *declared, f"int status = {bad};",
                   "CHECK(status != GIGACHAT_ERROR_NULL_ARGUMENT && "
                   "status != GIGACHAT_ERROR_INVALID_UTF8);",
                   *([] if function.is_setter() else ["gigachat_error_free(why);"]), *freed, "}"]
        elif argument.empty() == "NULL" and not function.optional(argument):
            yield refusal(function, f"{what} NULL as {argument.name}",
                          "GIGACHAT_ERROR_NULL_ARGUMENT", **{argument.name: "NULL"})


def nothing_of(function):
    """What an accessor gives for a dead handle."""
    if function.name in NOTHING:
        return NOTHING[function.name]
    if function.returns == "int64_t" and "_tokens" in function.name:
        return "-1"
    return "NULL" if "*" in function.returns else "0"


def accessor_of(function):
    """Dead handles for a function that returns a value, or nothing (a free)."""
    handle = next((argument for argument in function.arguments if argument.handle), None)
    if handle is None:
        return
    others = [f"(void *){other}" for other in HANDLES if other != handle.handle]
    words = ["NULL", *others]
    declared, _ = function.outs()
    for word in [*words, "dead[at]"]:
        loop = ["for (at = 0; at < dead_count; at++)"] if word == "dead[at]" else []
        wrong = function.call(**{handle.name: f"({handle.type}){word}"})
        if function.returns == "void":
            yield [*loop, "{ uint64_t alive = gigachat_live_handles();", f"{wrong};",
                   f'check_value(gigachat_live_handles() == alive, "{function.name}"); }}']
            continue
        lines = [*loop, "{", *declared,
                 f'check_value({wrong} == {nothing_of(function)}, "{function.name}");']
        if any(argument.name == "length" and argument.out for argument in function.arguments):
            lines.append("CHECK(out_length == 0);")
            unmeasured = function.call(**{handle.name: f"({handle.type}){word}", "length": "NULL"})
            lines.append(f"CHECK({unmeasured} == NULL);")
        yield [*lines, "}"]


def prototypes(header):
    found = re.findall(r"GIGACHAT_API\s+([\w ]+?[ *]+)(gigachat_\w+)\(([^;]*?)\);", header)
    return [Function(*prototype) for prototype in found]


def main(path):
    header = open(path, encoding="utf-8").read()
    types = set(re.findall(r"^typedef struct gigachat_(\w+) gigachat_\w+;", header, re.M))
    assert types == set(HANDLES), f"handle types without a good handle here: {types ^ set(HANDLES)}"
    functions = [function for function in prototypes(header) if function.name not in NEVER_CALLED]
    assert len(functions) + len(NEVER_CALLED) == header.count("\nGIGACHAT_API\n"), "all are parsed"
    print(PROLOGUE)
    tested = []
    for function in functions:
        can_fail = function.is_setter() or (function.arguments and function.arguments[-1].error_slot)
        kind = refusals_of if can_fail else accessor_of
        blocks = list(kind(function))
        if not blocks:
            continue
        tested.append(function.name)
        print(f"static void misuse_{function.name}(void) {{\n    size_t at = 0;\n    (void)at;")
        for block in blocks:
            print("    " + "\n    ".join(block))
        print("}\n")
    print("int main(void) {\n    begin();\n    emulator_reset();\n    collect_the_dead();\n"
          "    open_all();")
    for name in tested:
        print(f"    misuse_{name}();")
    print(EPILOGUE)


if __name__ == "__main__":
    main(sys.argv[1])
