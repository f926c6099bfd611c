/*
 * The completion queue: tags of ended calls, readable streams and the program's own, a descriptor
 * that is readable exactly while there are any, and the end of it.
 */
#include "fixture.h"

#define CALLS 40
#define TAKERS 4

static int readable(int64_t descriptor, int wait_ms) {
    struct pollfd watched = {0, POLLIN, 0};
    watched.fd = (int)descriptor;
    return poll(&watched, 1, wait_ms) == 1 && (watched.revents & POLLIN) != 0;
}

static gigachat_call *start(gigachat_provider *provider) {
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_generate_start(provider, "repeat: yes", GIGACHAT_ZT, NULL, &call, NULL));
    return call;
}

static void the_descriptor_is_readable_exactly_while_there_are_tags(gigachat_provider *provider) {
    gigachat_queue *queue = NULL;
    gigachat_call *calls[3];
    int64_t descriptor = -1;
    uint64_t tags[2] = {0, 0};
    size_t count = 9;
    int at;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_queue_descriptor(queue, &descriptor, NULL));
    CHECK(descriptor >= 0);
    CHECK(!readable(descriptor, 0));
    CHECK_STATUS(gigachat_queue_take(queue, 0, tags, 2, &count, NULL), GIGACHAT_NOT_YET);
    CHECK(count == 0);
    CHECK_STATUS(gigachat_queue_take(queue, 20, tags, 2, &count, NULL), GIGACHAT_NOT_YET);
    for (at = 0; at < 3; at++) {
        calls[at] = start(provider);
        CHECK_OK(gigachat_call_wait(calls[at], -1, NULL));
        CHECK_OK(gigachat_call_attach(calls[at], queue, UINT64_MAX - (uint64_t)at, NULL));
    }
    CHECK(readable(descriptor, 0));
    CHECK_OK(gigachat_queue_take(queue, 0, tags, 2, &count, NULL));
    CHECK(count == 2 && tags[0] == UINT64_MAX && tags[1] == UINT64_MAX - 1);
    CHECK(readable(descriptor, 0));
    CHECK_OK(gigachat_queue_take(queue, -1, tags, 2, &count, NULL));
    CHECK(count == 1 && tags[0] == UINT64_MAX - 2);
    CHECK(!readable(descriptor, 0));
    /* No room is not an error, and does not lose a tag. */
    CHECK_STATUS(gigachat_queue_take(queue, 0, NULL, 0, &count, NULL), GIGACHAT_NOT_YET);
    for (at = 0; at < 3; at++) {
        gigachat_call_free(calls[at]);
    }
    gigachat_queue_free(queue);
}

static void poll_wakes_when_a_call_ends(gigachat_provider *provider) {
    gigachat_queue *queue = NULL;
    gigachat_call *call;
    int64_t descriptor = -1;
    uint64_t tag = 0;
    size_t count = 0;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_queue_descriptor(queue, &descriptor, NULL));
    call = start(provider);
    CHECK_OK(gigachat_call_attach(call, queue, 7, NULL));
    CHECK(readable(descriptor, 60000));
    CHECK_OK(gigachat_queue_take(queue, 0, &tag, 1, &count, NULL));
    CHECK(count == 1 && tag == 7);
    gigachat_call_free(call);
    gigachat_queue_free(queue);
}

typedef struct Taker {
    gigachat_queue *queue;
    uint64_t seen[CALLS + TAKERS];
    size_t count;
} Taker;

/* Takes until the tag 0 comes. */
static void *take_tags(void *data) {
    Taker *taker = data;
    for (;;) {
        uint64_t tag = 0;
        size_t count = 0;
        if (gigachat_queue_take(taker->queue, -1, &tag, 1, &count, NULL) != GIGACHAT_OK ||
            tag == 0) {
            return NULL;
        }
        taker->seen[taker->count++] = tag;
    }
}

static void several_threads_take_each_tag_once(gigachat_provider *provider) {
    gigachat_queue *queue = NULL;
    gigachat_call *calls[CALLS + TAKERS];
    Taker takers[TAKERS];
    pthread_t threads[TAKERS];
    int seen[CALLS + 1];
    size_t at, tag;
    memset(seen, 0, sizeof seen);
    memset(takers, 0, sizeof takers);
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    for (at = 0; at < TAKERS; at++) {
        takers[at].queue = queue;
        threads[at] = run_thread(take_tags, &takers[at]);
    }
    for (at = 0; at < CALLS; at++) {
        calls[at] = start(provider);
        CHECK_OK(gigachat_call_attach(calls[at], queue, at + 1, NULL));
    }
    for (at = 0; at < CALLS; at++) {
        CHECK_OK(gigachat_call_wait(calls[at], -1, NULL));
    }
    for (at = CALLS; at < CALLS + TAKERS; at++) {
        calls[at] = start(provider);
        CHECK_OK(gigachat_call_attach(calls[at], queue, 0, NULL));
    }
    for (at = 0; at < TAKERS; at++) {
        pthread_join(threads[at], NULL);
        for (tag = 0; tag < takers[at].count; tag++) {
            seen[takers[at].seen[tag]] += 1;
        }
    }
    for (at = 1; at <= CALLS; at++) {
        CHECK(seen[at] == 1);
    }
    for (at = 0; at < CALLS + TAKERS; at++) {
        gigachat_call_free(calls[at]);
    }
    gigachat_queue_free(queue);
}

static void a_stream_posts_its_tag_when_it_becomes_readable(gigachat_provider *provider) {
    gigachat_queue *queue = NULL;
    gigachat_queue *second = NULL;
    gigachat_stream *stream = open_endless(provider);
    gigachat_event *event = NULL;
    gigachat_status status;
    uint64_t tag = 0;
    size_t count = 0;
    int texts = 0;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_queue_new(&second, NULL));
    CHECK_OK(gigachat_stream_attach(stream, queue, 11, NULL));
    while (texts < 2) {
        CHECK_OK(gigachat_queue_take(queue, 60000, &tag, 1, &count, NULL));
        CHECK(count == 1 && tag == 11);
        while ((status = gigachat_stream_next(stream, 0, &event, NULL)) == GIGACHAT_OK) {
            texts += gigachat_event_kind(event) == GIGACHAT_EVENT_TEXT;
            gigachat_event_free(event);
        }
        if (!CHECK_STATUS(status, GIGACHAT_NOT_YET)) {
            break;
        }
    }
    CHECK_STATUS(gigachat_queue_take(queue, 0, &tag, 1, &count, NULL), GIGACHAT_NOT_YET);
    /* Attached anew, the end goes to the other queue; an end is readable for ever. */
    CHECK_OK(gigachat_stream_attach(stream, second, 12, NULL));
    CHECK_OK(gigachat_stream_cancel(stream, NULL));
    CHECK_OK(gigachat_queue_take(second, 60000, &tag, 1, &count, NULL));
    CHECK(tag == 12);
    CHECK_STATUS(gigachat_queue_take(queue, 0, &tag, 1, &count, NULL), GIGACHAT_NOT_YET);
    CHECK_OK(gigachat_stream_attach(stream, queue, 13, NULL));
    CHECK_OK(gigachat_queue_take(queue, 0, &tag, 1, &count, NULL));
    CHECK(tag == 13);
    gigachat_queue_free(queue);
    gigachat_queue_free(second);
    gigachat_stream_free(stream);
}

static void a_queue_may_be_freed_before_its_calls_and_streams(gigachat_provider *provider) {
    gigachat_queue *queue = NULL;
    gigachat_call *call = start_endless(provider);
    gigachat_stream *stream = open_endless(provider);
    uint64_t tag = 0;
    size_t count = 0;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_call_attach(call, queue, 1, NULL));
    CHECK_OK(gigachat_stream_attach(stream, queue, 2, NULL));
    gigachat_queue_free(queue);
    CHECK_STATUS(gigachat_queue_take(queue, 0, &tag, 1, &count, NULL),
                 GIGACHAT_ERROR_INVALID_HANDLE);
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    gigachat_call_free(call);
    gigachat_stream_free(stream);
}

static void *take_one(void *data) {
    uint64_t tag = 0;
    size_t count = 0;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_queue_take(data, -1, &tag, 1, &count, &error);
    /* It had begun to wait, or came too late to find the queue. */
    if (status == GIGACHAT_ERROR_CANCELLED) {
        CHECK(strstr(gigachat_error_message(error, NULL), "freed") != NULL);
    } else {
        CHECK_STATUS(status, GIGACHAT_ERROR_INVALID_HANDLE);
    }
    CHECK(count == 0);
    gigachat_error_free(error);
    return NULL;
}

static void freeing_a_queue_wakes_whoever_waits_for_it(void) {
    gigachat_queue *queue = NULL;
    pthread_t threads[TAKERS];
    struct timespec moment = {0, 50000000};
    int at;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    for (at = 0; at < TAKERS; at++) {
        threads[at] = run_thread(take_one, queue);
    }
    nanosleep(&moment, NULL);
    gigachat_queue_free(queue);
    for (at = 0; at < TAKERS; at++) {
        pthread_join(threads[at], NULL);
    }
}

typedef struct Loop {
    gigachat_queue *queue;
    uint64_t sum;
} Loop;

/* A program's loop: adds what comes, until 0 tells it to stop. */
static void *run_loop(void *data) {
    Loop *loop = data;
    uint64_t tags[4] = {1, 0, 0, 0};
    size_t count = 0, at;
    for (;;) {
        CHECK_OK(gigachat_queue_take(loop->queue, -1, tags, 4, &count, NULL));
        for (at = 0; at < count; at++) {
            if (tags[at] == 0) {
                return NULL;
            }
            loop->sum += tags[at];
        }
    }
}

static void a_program_wakes_its_own_loop(void) {
    Loop loop = {NULL, 0};
    pthread_t thread;
    int64_t descriptor = -1;
    CHECK_OK(gigachat_queue_new(&loop.queue, NULL));
    CHECK_OK(gigachat_queue_descriptor(loop.queue, &descriptor, NULL));
    CHECK_OK(gigachat_queue_post(loop.queue, 5, NULL));
    CHECK(readable(descriptor, 0));
    thread = run_thread(run_loop, &loop);
    CHECK_OK(gigachat_queue_post(loop.queue, UINT64_C(1) << 40, NULL));
    CHECK_OK(gigachat_queue_post(loop.queue, 5, NULL));
    CHECK_OK(gigachat_queue_post(loop.queue, 0, NULL));
    pthread_join(thread, NULL);
    CHECK(loop.sum == (UINT64_C(1) << 40) + 10);
    gigachat_queue_free(loop.queue);
    CHECK_STATUS(gigachat_queue_post(loop.queue, 1, NULL), GIGACHAT_ERROR_INVALID_HANDLE);
    CHECK_STATUS(gigachat_queue_post(NULL, 1, NULL), GIGACHAT_ERROR_NULL_ARGUMENT);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    the_descriptor_is_readable_exactly_while_there_are_tags(provider);
    poll_wakes_when_a_call_ends(provider);
    several_threads_take_each_tag_once(provider);
    a_stream_posts_its_tag_when_it_becomes_readable(provider);
    a_queue_may_be_freed_before_its_calls_and_streams(provider);
    freeing_a_queue_wakes_whoever_waits_for_it();
    a_program_wakes_its_own_loop();
    gigachat_provider_free(provider);
    return finish();
}
