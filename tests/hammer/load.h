/*
 * What the hammer's threads share: slots with handles of every kind, which any thread may pick,
 * replace or free at any moment; the functions that the library calls; counts.
 */
#ifndef LOAD_H
#define LOAD_H

#include "../c/fixture.h"

#define THREADS 16
#define SLOTS 16

typedef struct Thread {
    uint64_t random;
} Thread;

typedef enum Kind { SERVICE, OWN, ROUTER, CALL, STREAM, QUEUE, CANCEL, REPLY, KINDS } Kind;

static void *slots[KINDS][SLOTS];

static long callbacks_set, callbacks_run, callbacks_over;
static long own_made, own_over, logs_set, logs_over;
static long answers_read, events_read, records_seen, threads_seen;

static inline void add(long *count, long more) {
    __atomic_fetch_add(count, more, __ATOMIC_RELAXED);
}

/* What a function may return. */
#define BIT(status) (UINT64_C(1) << (status))
#define ONLY_OK BIT(GIGACHAT_OK)
#define NOT_YET BIT(GIGACHAT_NOT_YET)
/* The handle was another thread's, which may have freed it, or the slot is empty. */
#define MAY_BE_FREED \
    (ONLY_OK | BIT(GIGACHAT_ERROR_INVALID_HANDLE) | BIT(GIGACHAT_ERROR_NULL_ARGUMENT))
#define MAY_BE_SHUT (MAY_BE_FREED | BIT(GIGACHAT_ERROR_SHUTDOWN))
/* How a call or stream may end here. No failure of the connection or of time is among it; a 401
 * is, when the tokens are revoked twice while one call tries. */
#define ANY_END                                                              \
    (MAY_BE_SHUT | BIT(GIGACHAT_ERROR_CANCELLED) | BIT(GIGACHAT_ERROR_ALREADY_TAKEN) | \
     BIT(GIGACHAT_ERROR_AUTHENTICATION))

static inline void expect(gigachat_status status, uint64_t allowed, const char *what) {
    if (status < 0 || status > 63 || (allowed & BIT(status)) == 0) {
        printf("%s: unexpected %s\n", what, gigachat_status_name(status));
        CHECK(!"an expected status");
    } else {
        CHECK(1);
    }
}

/* The slots are relaxed on purpose: what orders the threads has to be the library. */

/* A number below `limit`; xorshift64. */
static inline unsigned number(Thread *self, unsigned limit) {
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return (unsigned)((self->random >> 16) % limit);
}

static inline void *pick(Thread *self, Kind kind) {
    return __atomic_load_n(&slots[kind][number(self, SLOTS)], __ATOMIC_RELAXED);
}

static inline gigachat_provider *any_provider(Thread *self) {
    static const Kind kinds[] = {SERVICE, SERVICE, OWN, ROUTER};
    return pick(self, kinds[number(self, 4)]);
}

static inline void put_away(Kind kind, void *handle) {
    switch (kind) {
    case CALL:
        gigachat_call_free(handle);
        break;
    case STREAM:
        gigachat_stream_free(handle);
        break;
    case QUEUE:
        gigachat_queue_free(handle);
        break;
    case CANCEL:
        gigachat_cancel_free(handle);
        break;
    case REPLY:
        if (handle != NULL) {
            expect(gigachat_reply_finish(handle, "late", GIGACHAT_ZT, NULL, 0, NULL), ONLY_OK,
                   "reply_finish");
        }
        gigachat_reply_free(handle);
        break;
    default:
        gigachat_provider_free(handle);
    }
}

/* Puts a handle (or none) into some slot and frees what was there, whoever uses it. */
static inline void put(Thread *self, Kind kind, void *handle) {
    void **slot = &slots[kind][number(self, SLOTS)];
    put_away(kind, __atomic_exchange_n(slot, handle, __ATOMIC_RELAXED));
}

/* To what a freed handle gives no text is expected. */
static inline void read_response(gigachat_response *response) {
    if (response != NULL) {
        /* The answer of another operation than chat has a body and no text. */
        CHECK(gigachat_response_text(response, NULL) != NULL || gigachat_response_body(response, NULL) != NULL);
        add(&answers_read, 1);
    }
    gigachat_response_free(response);
}

static inline void read_error(gigachat_error *error, gigachat_status status) {
    if (error != NULL) {
        CHECK(gigachat_error_status(error) == status);
        CHECK(gigachat_error_message(error, NULL) != NULL);
    }
    gigachat_error_free(error);
}

static inline void take(gigachat_call *call) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_call_take(call, &response, &error);
    /* A call of models or a health check has no response. */
    expect(status, ANY_END | NOT_YET | BIT(GIGACHAT_ERROR_INVALID_REQUEST), "call_take");
    read_error(error, status);
    read_response(response);
}

/* Every third callback takes the result, every fifth frees the call that it is about. */
static void call_is_done(void *data, gigachat_call *call, gigachat_status status) {
    long *alive = data;
    long at = __atomic_add_fetch(&callbacks_run, 1, __ATOMIC_RELAXED);
    CHECK(*alive == 1);
    expect(status, ANY_END, "a call's end");
    if (at % 3 == 0) {
        take(call);
    }
    if (at % 5 == 0) {
        gigachat_call_free(call);
    }
}

static void done_is_over(void *data) {
    free(data);
    add(&callbacks_over, 1);
}

static void count_record(void *data, gigachat_log_level level, const char *target,
                         const char *message) {
    /* Not atomic: one record at a time is the promise. */
    *(long *)data += 1;
    add(&records_seen, 1);
    CHECK(level > 0 && target != NULL && message != NULL);
}

static void log_is_over(void *data) {
    free(data);
    add(&logs_over, 1);
}

static void count_thread(void *data) {
    (void)data;
    add(&threads_seen, 1);
}

/* The own provider answers one request in four later, from another thread. */
static void own_generate(void *data, const char *request, gigachat_reply *reply) {
    static unsigned asked;
    unsigned at = __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    (void)data;
    CHECK(request != NULL);
    put_away(REPLY, at % 4 != 0 ? reply
                                : __atomic_exchange_n(&slots[REPLY][at / 4 % SLOTS], (void *)reply,
                                                      __ATOMIC_RELAXED));
}

static void own_stream(void *data, const char *request, gigachat_reply *reply) {
    (void)data;
    CHECK(request != NULL);
    expect(gigachat_reply_push(reply, "own ", GIGACHAT_ZT, NULL), ONLY_OK, "reply_push");
    put_away(REPLY, reply);
}

static void own_is_over(void *data) {
    free(data);
    add(&own_over, 1);
}

static inline gigachat_provider *new_own_provider(void) {
    gigachat_custom_options *builder = NULL;
    gigachat_provider *provider = NULL;
    CHECK_OK(gigachat_custom_options_new("own", GIGACHAT_ZT, &builder, NULL));
    CHECK_OK(gigachat_custom_options_set_generate(builder, own_generate));
    CHECK_OK(gigachat_custom_options_set_stream(builder, own_stream));
    CHECK_OK(gigachat_custom_new(builder, malloc(1), own_is_over, &provider, NULL));
    gigachat_custom_options_free(builder);
    add(&own_made, 1);
    return provider;
}

static inline gigachat_provider *new_service(void) {
    return open_provider();
}

static inline gigachat_provider *new_router(Thread *self) {
    gigachat_provider *router = NULL;
    CHECK_OK(gigachat_router_new(NULL, &router, NULL));
    expect(gigachat_router_add(router, pick(self, SERVICE), "a", 1, 1, NULL, NULL), MAY_BE_FREED,
           "router_add");
    expect(gigachat_router_add(router, pick(self, OWN), "b", 1, 1, NULL, NULL), MAY_BE_FREED,
           "router_add");
    return router;
}

/* Something of every kind that is not made by a call. */
static inline void furnish(Thread *self) {
    int at;
    for (at = 0; at < SLOTS; at++) {
        gigachat_cancel *cancel = NULL;
        gigachat_queue *queue = NULL;
        slots[SERVICE][at] = at < 4 ? new_service() : slots[SERVICE][at % 4];
        slots[OWN][at] = new_own_provider();
        CHECK_OK(gigachat_cancel_new(&cancel, NULL));
        CHECK_OK(gigachat_queue_new(&queue, NULL));
        slots[CANCEL][at] = cancel;
        slots[QUEUE][at] = queue;
    }
    for (at = 0; at < SLOTS; at++) {
        slots[ROUTER][at] = new_router(self);
    }
}

static inline void put_everything_away(Thread *self) {
    int kind, at;
    (void)self;
    for (kind = 0; kind < KINDS; kind++) {
        for (at = 0; at < SLOTS; at++) {
            put_away((Kind)kind, slots[kind][at]);
            slots[kind][at] = NULL;
        }
    }
}

#endif
