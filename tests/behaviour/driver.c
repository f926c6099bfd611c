/*
 * The C side of the fault matrix: reads one command a line from stdin, performs it through
 * gigachat.h, answers with one line of JSON. test_matrix.py sets the faults up and judges.
 *
 * A command is a verb and `name=value` fields, separated by tabs; README.md lists them. Nothing
 * is decided here, so that the same table judges every language.
 */
#define _GNU_SOURCE
#include <gigachat.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_FIELDS 48
#define MOST_CALLS 256

typedef struct Text {
    char *bytes;
    size_t length;
} Text;

static gigachat_provider *provider;

static void give_up(const char *why) {
    fprintf(stderr, "driver.c: %s\n", why);
    exit(70);
}

static void append(Text *text, const char *bytes, size_t length) {
    text->bytes = realloc(text->bytes, text->length + length + 1);
    if (text->bytes == NULL) {
        give_up("out of memory");
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

/* The answer line, member by member. */

static int members;

static void name_member(const char *name) {
    printf("%s\"%s\": ", members++ == 0 ? "{" : ", ", name);
}

static void number(const char *name, int64_t value) {
    name_member(name);
    printf("%lld", (long long)value);
}

static void string(const char *name, const char *bytes, size_t length) {
    size_t place;
    name_member(name);
    if (bytes == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (place = 0; place < length; place++) {
        unsigned char byte = (unsigned char)bytes[place];
        if (byte == '"' || byte == '\\') {
            printf("\\%c", byte);
        } else if (byte < 0x20) {
            printf("\\u%04x", byte);
        } else {
            putchar(byte);
        }
    }
    putchar('"');
}

static void end_line(void) {
    puts("}");
    fflush(stdout);
    members = 0;
}

static void report_held(void) {
    uint32_t held = 0;
    if (provider != NULL &&
        gigachat_provider_permits(provider, NULL, &held, NULL, NULL, NULL) == GIGACHAT_OK) {
        number("held", held);
    }
}

/* What failed; `delivered` is what a stream had given before. */
static void report_error(gigachat_status status, gigachat_error *error, const Text *delivered) {
    size_t length;
    const char *text;
    string("result", "error", 5);
    text = gigachat_status_name(status);
    string("status", text, strlen(text));
    text = gigachat_error_kind(error, &length);
    string("kind", text, length);
    text = gigachat_error_phase(error, &length);
    string("phase", text, length);
    text = gigachat_error_message(error, &length);
    string("message", text, length);
    number("http", gigachat_error_http_status(error));
    number("code", gigachat_error_service_code(error));
    number("retry_after_ms", gigachat_error_retry_after_ms(error));
    number("retryable", gigachat_error_retryable(error));
    number("attempts", gigachat_error_attempts(error));
    number("request_id", gigachat_error_request_id(error, NULL) != NULL);
    string("text", delivered == NULL ? NULL : delivered->bytes,
           delivered == NULL ? 0 : delivered->length);
    text = gigachat_error_partial_text(error, &length);
    string("partial", text, length);
    gigachat_error_free(error);
}

static void report_response(gigachat_response *response, const Text *delivered) {
    size_t length;
    const char *text = gigachat_response_text(response, &length);
    string("result", "ok", 2);
    if (delivered != NULL) {
        string("text", delivered->bytes, delivered->length);
    } else {
        string("text", text, length);
    }
    number("attempts", gigachat_response_attempts(response));
    number("request_id", gigachat_response_request_id(response, NULL) != NULL);
    gigachat_response_free(response);
}

/* Options. */

/* Times come in milliseconds, as `timeout_ms`, and truth values as 0 and 1. */
static gigachat_status set_option(gigachat_config *config, const char *name, const char *value) {
    char plain[64], seconds[64];
    size_t length = strlen(name);
    if (length > 3 && length < sizeof plain && strcmp(name + length - 3, "_ms") == 0) {
        unsigned long long amount = strtoull(value, NULL, 10);
        memcpy(plain, name, length - 3);
        plain[length - 3] = '\0';
        snprintf(seconds, sizeof seconds, "%llu.%03llu", amount / 1000, amount % 1000);
        name = plain;
        value = seconds;
    }
    return gigachat_config_set(config, name, GIGACHAT_ZT, value, GIGACHAT_ZT);
}

/* The verbs. */

static void open_provider(char **fields, int count) {
    gigachat_config *config = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;
    int field;
    if (gigachat_config_new(&config, NULL) != GIGACHAT_OK ||
        gigachat_config_set(config, "proxy_from_environment", GIGACHAT_ZT, "false", GIGACHAT_ZT) != GIGACHAT_OK) {
        give_up("no configuration");
    }
    for (field = 1; field < count; field++) {
        char *value = strchr(fields[field], '=');
        if (value == NULL) {
            give_up("a field without a value");
        }
        *value++ = '\0';
        if (set_option(config, fields[field], value) != GIGACHAT_OK) {
            give_up(fields[field]);
        }
    }
    status = gigachat_provider_new(config, &provider, &error);
    gigachat_config_free(config);
    if (status == GIGACHAT_OK) {
        string("result", "ok", 2);
    } else {
        report_error(status, error, NULL);
    }
    end_line();
}

static void call(const char *prompt) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status =
        gigachat_generate(provider, prompt, GIGACHAT_ZT, NULL, NULL, &response, &error);
    report_held();
    if (status == GIGACHAT_OK) {
        report_response(response, NULL);
    } else {
        report_error(status, error, NULL);
    }
    end_line();
}

static void stream(const char *prompt) {
    gigachat_stream *opened = NULL;
    gigachat_event *event = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    Text delivered = {NULL, 0};
    size_t length;
    gigachat_status status =
        gigachat_generate_stream(provider, prompt, GIGACHAT_ZT, NULL, &opened, &error);
    append(&delivered, "", 0);
    while (status == GIGACHAT_OK &&
           (status = gigachat_stream_next(opened, -1, &event, &error)) == GIGACHAT_OK) {
        if (gigachat_event_kind(event) == GIGACHAT_EVENT_TEXT) {
            const char *text = gigachat_event_text(event, &length);
            append(&delivered, text, length);
        }
        gigachat_event_free(event);
    }
    report_held();
    if (status == GIGACHAT_STREAM_END &&
        gigachat_stream_response(opened, &response, NULL) == GIGACHAT_OK) {
        report_response(response, &delivered);
    } else {
        report_error(status, error, &delivered);
    }
    gigachat_stream_free(opened);
    free(delivered.bytes);
    end_line();
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Cancelled from outside after so long, unless it has ended by then. */
static void cancel_call(int64_t after_ms, const char *prompt) {
    gigachat_call *started = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    int64_t begun;
    gigachat_status status =
        gigachat_generate_start(provider, prompt, GIGACHAT_ZT, NULL, &started, &error);
    if (status != GIGACHAT_OK) {
        report_error(status, error, NULL);
        end_line();
        return;
    }
    (void)gigachat_call_wait(started, after_ms, NULL);
    begun = now_ms();
    (void)gigachat_call_cancel(started, NULL);
    (void)gigachat_call_wait(started, -1, NULL);
    number("cancelled_within_ms", now_ms() - begun);
    status = gigachat_call_take(started, &response, &error);
    report_held();
    if (status == GIGACHAT_OK) {
        report_response(response, NULL);
    } else {
        report_error(status, error, NULL);
    }
    gigachat_call_free(started);
    end_line();
}

static void cancel_stream(int64_t after_ms, const char *prompt) {
    gigachat_stream *opened = NULL;
    gigachat_event *event = NULL;
    gigachat_error *error = NULL;
    Text delivered = {NULL, 0};
    size_t length;
    int64_t begun = now_ms(), until = begun + after_ms;
    bool cancelled = false;
    gigachat_status status =
        gigachat_generate_stream(provider, prompt, GIGACHAT_ZT, NULL, &opened, &error);
    append(&delivered, "", 0);
    while (status == GIGACHAT_OK) {
        int64_t left = until - now_ms();
        status = gigachat_stream_next(opened, cancelled ? -1 : left < 0 ? 0 : left, &event, &error);
        if (status == GIGACHAT_NOT_YET) {
            begun = now_ms();
            (void)gigachat_stream_cancel(opened, NULL);
            cancelled = true;
            status = GIGACHAT_OK;
        } else if (status == GIGACHAT_OK) {
            if (gigachat_event_kind(event) == GIGACHAT_EVENT_TEXT) {
                const char *text = gigachat_event_text(event, &length);
                append(&delivered, text, length);
            }
            gigachat_event_free(event);
        }
    }
    number("cancelled_within_ms", now_ms() - begun);
    report_held();
    if (status == GIGACHAT_STREAM_END) {
        string("result", "ok", 2);
    } else {
        report_error(status, error, &delivered);
    }
    gigachat_stream_free(opened);
    free(delivered.bytes);
    end_line();
}

static void health(void) {
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_health_check(provider, -1, NULL, NULL, &error);
    report_held();
    if (status == GIGACHAT_OK) {
        string("result", "ok", 2);
    } else {
        report_error(status, error, NULL);
    }
    end_line();
}

/* So many calls at once; how many were answered, and the kind of the first that was not. */
static void many(int count, const char *prompt) {
    gigachat_call *calls[MOST_CALLS];
    char kind[64] = "";
    int answered = 0, number_of_call;
    if (count > MOST_CALLS) {
        give_up("too many calls");
    }
    for (number_of_call = 0; number_of_call < count; number_of_call++) {
        if (gigachat_generate_start(provider, prompt, GIGACHAT_ZT, NULL, &calls[number_of_call],
                                    NULL) != GIGACHAT_OK) {
            give_up("a call cannot be started");
        }
    }
    for (number_of_call = 0; number_of_call < count; number_of_call++) {
        gigachat_response *response = NULL;
        gigachat_error *error = NULL;
        gigachat_status status = gigachat_call_wait(calls[number_of_call], -1, NULL);
        if (status == GIGACHAT_OK) {
            status = gigachat_call_take(calls[number_of_call], &response, &error);
        }
        if (status == GIGACHAT_OK) {
            answered++;
        } else if (kind[0] == '\0') {
            const char *name = gigachat_error_kind(error, NULL);
            snprintf(kind, sizeof kind, "%s", name == NULL ? "?" : name);
        }
        gigachat_error_free(error);
        gigachat_response_free(response);
        gigachat_call_free(calls[number_of_call]);
    }
    report_held();
    string("result", kind[0] == '\0' ? "ok" : "error", kind[0] == '\0' ? 2 : 5);
    string("kind", kind, strlen(kind));
    number("answered", answered);
    end_line();
}

static void close_provider(void) {
    gigachat_provider_free(provider);
    provider = NULL;
    string("result", "ok", 2);
    number("live", (int64_t)gigachat_live_handles());
    end_line();
}

static void obey(char **fields, int count) {
    const char *verb = fields[0];
    if (strcmp(verb, "open") == 0) {
        open_provider(fields, count);
    } else if (strcmp(verb, "call") == 0 && count == 2) {
        call(fields[1]);
    } else if (strcmp(verb, "stream") == 0 && count == 2) {
        stream(fields[1]);
    } else if (strcmp(verb, "cancel_call") == 0 && count == 3) {
        cancel_call(atoi(fields[1]), fields[2]);
    } else if (strcmp(verb, "cancel_stream") == 0 && count == 3) {
        cancel_stream(atoi(fields[1]), fields[2]);
    } else if (strcmp(verb, "health") == 0) {
        health();
    } else if (strcmp(verb, "many") == 0 && count == 3) {
        many(atoi(fields[1]), fields[2]);
    } else if (strcmp(verb, "close") == 0) {
        close_provider();
    } else {
        give_up("a command that nobody knows");
    }
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) > 0) {
        char *fields[MOST_FIELDS];
        int count = 0;
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        while (rest != NULL && count < MOST_FIELDS) {
            fields[count++] = strsep(&rest, "\t");
        }
        obey(fields, count);
    }
    free(line);
    return gigachat_shutdown(10000, NULL) == GIGACHAT_OK ? 0 : 1;
}
