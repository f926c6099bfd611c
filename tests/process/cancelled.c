/*
 * A program that cancels its threads inside the library and ends the library's threads from its own
 * callbacks (pthread_cancel, pthread_exit). Neither ends the process; what the library has still to
 * call it calls on another thread.
 */
#include "../c/fixture.h"

#include <semaphore.h>

static gigachat_provider *provider;
static gigachat_queue *empty;
static gigachat_call *endless;
static gigachat_stream *silent;
static Count waiting = COUNT_OF_NOTHING;

/* One thread: waits inside the library until it is cancelled, and is gone then, not before. */
typedef void Wait(void);

static void waits_for_a_queue(void) {
    uint64_t tag;
    size_t count;
    gigachat_queue_take(empty, 1500, &tag, 1, &count, NULL);
}

static void waits_for_a_call(void) {
    gigachat_call_wait(endless, 1500, NULL);
}

static void waits_for_a_stream(void) {
    gigachat_event *event = NULL;
    while (gigachat_stream_next(silent, 1500, &event, NULL) == GIGACHAT_OK) {
        gigachat_event_free(event);
    }
}

static void waits_for_an_answer(void) {
    gigachat_request *request = open_request("x", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_response *response = NULL;
    set_ms(request, "timeout", 1500);
    gigachat_perform(provider, request, NULL, &response, NULL);
    gigachat_request_free(request);
}

static void *wait_until_cancelled(void *wait) {
    count_up(&waiting);
    (*(Wait **)wait)();
    pthread_testcancel();
    return NULL;
}

static void a_thread_that_waits_is_cancelled_when_it_has_left_the_library(Wait *wait) {
    pthread_t thread;
    void *result = NULL;
    waiting.value = 0;
    thread = run_thread(wait_until_cancelled, &wait);
    CHECK(count_reaches(&waiting, 1));
    usleep(50000);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED);
}

/* Every function that reaches the operating system, with a cancellation that waits for it. */
static void *calls_much_with_a_cancellation_pending(void *data) {
    gigachat_provider *own;
    gigachat_queue *queue = NULL;
    gigachat_stream *stream;
    gigachat_call *call;
    gigachat_response *models = NULL;
    uint64_t tag;
    size_t count;
    int before, *done = data;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    own = open_provider();
    stream = open_endless(own);
    call = start_endless(own);
    pthread_cancel(pthread_self());
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    ask_for(own, "models", NULL, &models, NULL);
    gigachat_queue_new(&queue, NULL);
    gigachat_call_attach(call, queue, 1, NULL);
    gigachat_queue_take(queue, 10, &tag, 1, &count, NULL);
    gigachat_call_cancel(call, NULL);
    gigachat_call_wait(call, 5000, NULL);
    gigachat_call_free(call);
    gigachat_stream_cancel(stream, NULL);
    gigachat_stream_free(stream);
    gigachat_queue_free(queue);
    gigachat_response_free(models);
    gigachat_provider_free(own);
    gigachat_shutdown(10000, NULL);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    *done = 1;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    return NULL;
}

static void a_pending_cancellation_is_left_to_the_program(void) {
    int done = 0;
    void *result = NULL;
    pthread_t thread = run_thread(calls_much_with_a_cancellation_pending, &done);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(result == PTHREAD_CANCELED && done);
}

static Count called = COUNT_OF_NOTHING;
static Count left_well = COUNT_OF_NOTHING;

static void note_the_end(void *data) {
    (void)data;
    count_up(&left_well);
}

static void ends_its_thread(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    (void)status;
    pthread_cleanup_push(note_the_end, NULL);
    count_up(&called);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
}

static void cancels_its_thread(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    (void)status;
    count_up(&called);
    pthread_cancel(pthread_self());
    pthread_testcancel();
}

static void only_counts(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    (void)status;
    count_up(&called);
}

static void ends_its_thread_too(void *data) {
    (void)data;
    count_up(&called);
    pthread_exit(NULL);
}

typedef void Callback(void *data, gigachat_call *call, gigachat_status status);

static gigachat_call *start_with(Callback *callback, void (*destroy)(void *)) {
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, callback, NULL, destroy, NULL));
    return call;
}

static void a_callback_that_ends_its_thread_ends_nothing_else(void) {
    gigachat_call *calls[12];
    int at;
    called.value = left_well.value = 0;
    for (at = 0; at < 12; at += 4) {
        calls[at] = start_with(ends_its_thread, NULL);
        calls[at + 1] = start_with(cancels_its_thread, NULL);
        calls[at + 2] = start_with(only_counts, ends_its_thread_too);
        calls[at + 3] = start_with(only_counts, NULL);
    }
    /* Twelve callbacks and three hooks. */
    CHECK(count_reaches(&called, 15));
    CHECK(count_now(&left_well) == 3);
    CHECK(answers(provider, "afterwards"));
    for (at = 0; at < 12; at++) {
        CHECK_OK(gigachat_call_wait(calls[at], 0, NULL));
        gigachat_call_free(calls[at]);
    }
}

static void log_and_leave(void *data, gigachat_log_level level, const char *target,
                          const char *message) {
    (void)data;
    (void)level;
    (void)target;
    (void)message;
    count_up(&called);
    pthread_exit(NULL);
}

static void a_log_callback_that_ends_its_thread_can_be_removed(void) {
    gigachat_request *request = open_request("x", "{\"type\": \"status\", \"code\": 500}");
    gigachat_response *response = NULL;
    called.value = 0;
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_TRACE, log_and_leave, NULL, NULL, NULL));
    gigachat_perform(provider, request, NULL, &response, NULL);
    gigachat_response_free(response);
    gigachat_request_free(request);
    CHECK(count_reaches(&called, 1));
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL));
}

int main(void) {
    gigachat_error *error = NULL;
    begin();
    emulator_reset();
    provider = open_provider();
    CHECK_OK(gigachat_queue_new(&empty, NULL));
    endless = start_endless(provider);
    silent = open_endless(provider);
    a_thread_that_waits_is_cancelled_when_it_has_left_the_library(waits_for_a_queue);
    a_thread_that_waits_is_cancelled_when_it_has_left_the_library(waits_for_a_call);
    a_thread_that_waits_is_cancelled_when_it_has_left_the_library(waits_for_a_stream);
    a_thread_that_waits_is_cancelled_when_it_has_left_the_library(waits_for_an_answer);
    gigachat_call_free(endless);
    gigachat_stream_free(silent);
    a_pending_cancellation_is_left_to_the_program();
    a_callback_that_ends_its_thread_ends_nothing_else();
    a_log_callback_that_ends_its_thread_can_be_removed();
    gigachat_queue_free(empty);
    gigachat_provider_free(provider);
    CHECK_OK(gigachat_shutdown(10000, &error));
    CHECK_NO_ERROR(error);
    return finish();
}
