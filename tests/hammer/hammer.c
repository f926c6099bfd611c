/*
 * Sixteen threads that do everything with each other's handles at once: start, wait, take, cancel,
 * free, callbacks, streams, queues, settings, log, providers, routers, shutdown now and then.
 *
 *     hammer SECONDS [whole|race [SEED]]
 *
 * It proves little by itself (no unexpected status, every callback and destroy hook exactly once,
 * nothing left); it is the load for a sanitizer. The library is meant to bear all of it (I12, I15).
 * With `race` the library commits a data race now and then, if it was built with test-hooks: does
 * the sanitizer find it?
 */
#include "load.h"

#include <inttypes.h>

#define BETWEEN_SHUTDOWNS_MS 700
#define BETWEEN_REVOCATIONS_MS 300

static long shutdowns, last_shutdown_ms, last_revocation_ms;

typedef struct Operation {
    const char *name;
    void (*run)(Thread *self);
    int weight;
    long done;
} Operation;

static void start_a_call(Thread *self) {
    gigachat_call *call = NULL;
    expect(gigachat_generate_start(any_provider(self), "repeat: x", GIGACHAT_ZT, NULL, &call, NULL),
           MAY_BE_SHUT, "generate_start");
    put(self, CALL, call);
}

static void start_an_endless_call(Thread *self) {
    gigachat_request *request =
        open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_call *call = NULL;
    expect(gigachat_start(pick(self, SERVICE), request, &call, NULL), MAY_BE_SHUT,
           "start");
    gigachat_request_free(request);
    put(self, CALL, call);
}

static void start_something_else(Thread *self) {
    gigachat_call *call = NULL;
    gigachat_status status = number(self, 2)
                                 ? start_for(pick(self, SERVICE), "models", &call)
                                 : start_for(any_provider(self), "health", &call);
    expect(status, MAY_BE_SHUT, "start");
    put(self, CALL, call);
}

static void ask_and_wait(Thread *self) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_generate(any_provider(self), "repeat: waited for", GIGACHAT_ZT,
                                               NULL, pick(self, CANCEL), &response, &error);
    expect(status, ANY_END, "generate");
    read_error(error, status);
    read_response(response);
}

static void cancel_what_waits(Thread *self) {
    gigachat_cancel *fresh = NULL;
    expect(gigachat_cancel_now(pick(self, CANCEL), NULL), MAY_BE_FREED, "cancel_now");
    expect(gigachat_cancel_new(&fresh, NULL), ONLY_OK, "cancel_new");
    put(self, CANCEL, fresh);
}

static void wait_for_a_call(Thread *self) {
    expect(gigachat_call_wait(pick(self, CALL), number(self, 20), NULL), MAY_BE_FREED | NOT_YET,
           "call_wait");
}

static void take_a_result(Thread *self) {
    take(pick(self, CALL));
}

static void cancel_a_call(Thread *self) {
    expect(gigachat_call_cancel(pick(self, CALL), NULL), MAY_BE_FREED, "call_cancel");
}

static void free_a_call(Thread *self) {
    put(self, CALL, NULL);
}

static void set_a_callback(Thread *self) {
    /* Freed by its destroy hook: a sanitizer sees whether the hook comes last. */
    long *data = malloc(sizeof *data);
    gigachat_status status;
    *data = 1;
    status = gigachat_call_on_done(pick(self, CALL), call_is_done, data, done_is_over, NULL);
    expect(status, MAY_BE_SHUT | BIT(GIGACHAT_ERROR_ALREADY_SET), "call_on_done");
    if (status == GIGACHAT_OK) {
        add(&callbacks_set, 1);
    } else {
        free(data);
    }
}

static void attach_to_a_queue(Thread *self) {
    gigachat_queue *queue = pick(self, QUEUE);
    if (number(self, 2)) {
        expect(gigachat_call_attach(pick(self, CALL), queue, 1 + number(self, 9), NULL),
               MAY_BE_SHUT | BIT(GIGACHAT_ERROR_ALREADY_SET), "call_attach");
    } else {
        expect(gigachat_stream_attach(pick(self, STREAM), queue, 1 + number(self, 9), NULL),
               MAY_BE_SHUT, "stream_attach");
    }
}

static void take_from_a_queue(Thread *self) {
    gigachat_queue *queue = pick(self, QUEUE);
    uint64_t tags[4];
    size_t count = 0, at;
    int64_t descriptor = -1;
    expect(gigachat_queue_descriptor(queue, &descriptor, NULL), MAY_BE_FREED, "queue_descriptor");
    expect(gigachat_queue_take(queue, number(self, 5), tags, 4, &count, NULL),
           MAY_BE_FREED | NOT_YET | BIT(GIGACHAT_ERROR_CANCELLED), "queue_take"); /* freed meanwhile */
    for (at = 0; at < count; at++) {
        CHECK(tags[at] >= 1 && tags[at] <= 9);
    }
}

static void replace_a_queue(Thread *self) {
    gigachat_queue *queue = NULL;
    expect(gigachat_queue_new(&queue, NULL), ONLY_OK, "queue_new");
    put(self, QUEUE, queue);
}

static void open_a_stream(Thread *self) {
    gigachat_stream *stream = NULL;
    gigachat_status status;
    if (number(self, 3) == 0) {
        gigachat_request *request =
            open_request("count to 50", "{\"type\": \"stall_after\", \"chunks\": 2}");
        status = gigachat_open(pick(self, SERVICE), request, &stream, NULL);
        gigachat_request_free(request);
    } else {
        status = gigachat_generate_stream(any_provider(self), "count to 20", GIGACHAT_ZT, NULL,
                                          &stream, NULL);
    }
    expect(status, MAY_BE_SHUT, "stream");
    put(self, STREAM, stream);
}

static void read_a_stream(Thread *self) {
    gigachat_stream *stream = pick(self, STREAM);
    gigachat_status status = GIGACHAT_OK;
    int left;
    for (left = 8; left > 0 && status == GIGACHAT_OK; left--) {
        gigachat_event *event = NULL;
        gigachat_error *error = NULL;
        status = gigachat_stream_next(stream, number(self, 10), &event, &error);
        expect(status, ANY_END | NOT_YET | BIT(GIGACHAT_STREAM_END), "stream_next");
        read_error(error, status);
        if (event != NULL) {
            add(&events_read, 1);
            CHECK(gigachat_event_kind(event) != GIGACHAT_EVENT_TEXT ||
                  gigachat_event_text(event, NULL) != NULL);
        }
        gigachat_event_free(event);
    }
    if (status == GIGACHAT_STREAM_END) {
        gigachat_response *response = NULL;
        expect(gigachat_stream_response(stream, &response, NULL), ANY_END | NOT_YET,
               "stream_response");
        read_response(response);
    }
}

static void cancel_a_stream(Thread *self) {
    expect(gigachat_stream_cancel(pick(self, STREAM), NULL), MAY_BE_FREED, "stream_cancel");
}

static void free_a_stream(Thread *self) {
    put(self, STREAM, NULL);
}

static void answer_a_reply(Thread *self) {
    put(self, REPLY, NULL);
}

static void open_another_provider(Thread *self) {
    put(self, SERVICE, new_service());
    put(self, OWN, new_own_provider());
    put(self, ROUTER, new_router(self));
}

static void look_at_metrics(Thread *self) {
    gigachat_text *text = NULL;
    uint32_t limit, held, by_streams;
    size_t waiting;
    expect(gigachat_router_metrics_json(pick(self, ROUTER), &text, NULL), MAY_BE_FREED, "metrics");
    gigachat_text_free(text);
    expect(gigachat_provider_permits(pick(self, SERVICE), &limit, &held, &by_streams, &waiting,
                                     NULL),
           MAY_BE_SHUT, "permits");
    CHECK(gigachat_live_handles() < 100000);
}

static void change_settings(Thread *self) {
    uint64_t too_late = BIT(GIGACHAT_OK) | BIT(GIGACHAT_ERROR_TOO_LATE);
    expect(gigachat_set_io_threads(1 + number(self, 3), NULL), too_late, "io_threads");
    expect(gigachat_set_callback_stack_size((1 + number(self, 2)) << 20, NULL), too_late, "stack");
    expect(gigachat_set_thread_hooks(count_thread, count_thread, NULL, NULL), too_late, "hooks");
}

static void change_the_log(Thread *self) {
    gigachat_log_level level = (gigachat_log_level)number(self, GIGACHAT_LOG_TRACE + 1);
    long *data = malloc(sizeof *data);
    *data = 0;
    if (level == GIGACHAT_LOG_OFF) {
        free(data);
        expect(gigachat_set_log_callback(level, NULL, NULL, NULL, NULL), ONLY_OK, "log off");
        return;
    }
    add(&logs_set, 1);
    expect(gigachat_set_log_callback(level, count_record, data, log_is_over, NULL), ONLY_OK, "log");
}

/* What interrupts all the others happens once in a while: the library is to work, too. */
static int is_time_again(long *last_ms, long between_ms) {
    long now_ms = (long)(seconds_now() * 1000), before = __atomic_load_n(last_ms, __ATOMIC_RELAXED);
    return now_ms - before >= between_ms &&
           __atomic_compare_exchange_n(last_ms, &before, now_ms, 0, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

static void revoke_all_tokens(Thread *self) {
    (void)self;
    if (is_time_again(&last_revocation_ms, BETWEEN_REVOCATIONS_MS)) {
        emulator_revoke_tokens();
    }
}

static void shut_down(Thread *self) {
    (void)self;
    if (is_time_again(&last_shutdown_ms, BETWEEN_SHUTDOWNS_MS)) {
        add(&shutdowns, 1);
        expect(gigachat_shutdown(60000, NULL), ONLY_OK, "shutdown");
    }
}

static Operation operations[] = {
    {"start a call", start_a_call, 60, 0},
    {"start an endless call", start_an_endless_call, 20, 0},
    {"start something else", start_something_else, 10, 0},
    {"ask and wait", ask_and_wait, 30, 0},
    {"cancel what waits", cancel_what_waits, 20, 0},
    {"wait for a call", wait_for_a_call, 40, 0},
    {"take a result", take_a_result, 60, 0},
    {"cancel a call", cancel_a_call, 40, 0},
    {"free a call", free_a_call, 30, 0},
    {"set a callback", set_a_callback, 60, 0},
    {"attach to a queue", attach_to_a_queue, 60, 0},
    {"take from a queue", take_from_a_queue, 40, 0},
    {"replace a queue", replace_a_queue, 4, 0},
    {"open a stream", open_a_stream, 30, 0},
    {"read a stream", read_a_stream, 60, 0},
    {"cancel a stream", cancel_a_stream, 15, 0},
    {"free a stream", free_a_stream, 15, 0},
    {"answer a reply", answer_a_reply, 20, 0},
    {"open another provider", open_another_provider, 3, 0},
    {"look at metrics", look_at_metrics, 10, 0},
    {"change settings", change_settings, 10, 0},
    {"change the log", change_the_log, 4, 0},
    {"revoke all tokens", revoke_all_tokens, 2, 0},
    {"shut down", shut_down, 1, 0},
};
#define OPERATIONS (sizeof operations / sizeof *operations)

extern uint64_t gigachat__test_fault(uint32_t fault) __attribute__((weak));

static double end_at;
static int with_race;
static long threads_at_work = THREADS;

static void *hammer(void *data) {
    Thread *self = data;
    unsigned all = 0;
    size_t at;
    for (at = 0; at < OPERATIONS; at++) {
        all += (unsigned)operations[at].weight;
    }
    while (seconds_now() < end_at) {
        long chosen = (long)number(self, all);
        for (at = 0; (chosen -= operations[at].weight) >= 0; at++) {
        }
        operations[at].run(self);
        add(&operations[at].done, 1);
        if (with_race && number(self, 20) == 0) {
            gigachat__test_fault(0);
        }
    }
    add(&threads_at_work, -1);
    return NULL;
}

/* Somebody may wait for a reply that only another thread would have answered. */
static void let_threads_end(void) {
    const struct timespec moment = {0, 1000000};
    while (__atomic_load_n(&threads_at_work, __ATOMIC_ACQUIRE) > 0) {
        int at;
        for (at = 0; at < SLOTS; at++) {
            put_away(REPLY, __atomic_exchange_n(&slots[REPLY][at], NULL, __ATOMIC_RELAXED));
        }
        nanosleep(&moment, NULL);
    }
}

/* Everything that was promised has happened when the last shutdown returns. */
static void settle(Thread *self) {
    put_everything_away(self);
    expect(gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL), ONLY_OK, "log off");
    CHECK_OK(gigachat_shutdown(60000, NULL));
    CHECK(callbacks_run == callbacks_set);
    CHECK(callbacks_over == callbacks_set);
    CHECK(own_over == own_made);
    CHECK(logs_over == logs_set);
    CHECK(gigachat_live_handles() == 0);
}

int main(int count, char **arguments) {
    int seconds = count > 1 ? atoi(arguments[1]) : 10;
    uint64_t seed = count > 3 ? strtoull(arguments[3], NULL, 10) : 1;
    pthread_t threads[THREADS];
    Thread states[THREADS];
    long all = 0;
    size_t at;
    with_race = count > 2 && strcmp(arguments[2], "race") == 0 && gigachat__test_fault != NULL;
    alarm((unsigned)seconds + hang_seconds());
    emulator_reset();
    for (at = 0; at < THREADS; at++) {
        states[at].random = 0x9e3779b97f4a7c15u * (seed * THREADS + at + 1);
    }
    furnish(&states[0]);
    end_at = seconds_now() + seconds;
    for (at = 0; at < THREADS; at++) {
        threads[at] = run_thread(hammer, &states[at]);
    }
    let_threads_end();
    for (at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
    }
    settle(&states[0]);
    for (at = 0; at < OPERATIONS; at++) {
        all += operations[at].done;
        if (!CHECK(operations[at].done > 0 || seconds < 20)) {
            printf("never done: %s\n", operations[at].name);
        }
    }
    printf("hammer: seed %" PRIu64 ", %ld operations by %d threads in %d s: %ld answers, %ld events, %ld callbacks, "
           "%ld shutdowns, %ld log records\n",
           seed, all, THREADS, seconds, answers_read, events_read, callbacks_run,
           shutdowns, records_seen);
    return verdict();
}
