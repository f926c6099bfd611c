/*
 * Completion callbacks: the function runs once, then the destroy hook runs once, whatever happens
 * to the call.
 */
#include "fixture.h"

typedef struct Watch {
    Count called;
    Count destroyed;
    int called_before_destroyed;
    gigachat_status status;
    gigachat_call *call;
    pthread_t thread;
} Watch;

static const Watch UNSEEN = {COUNT_OF_NOTHING, COUNT_OF_NOTHING, 0, -1, NULL, 0};

static void note_call(void *data, gigachat_call *call, gigachat_status status) {
    Watch *watch = data;
    watch->status = status;
    watch->call = call;
    watch->thread = pthread_self();
    count_up(&watch->called);
}

static void note_destroy(void *data) {
    Watch *watch = data;
    watch->called_before_destroyed = count_now(&watch->called) == 1;
    count_up(&watch->destroyed);
}

static void check_seen_once(Watch *watch, gigachat_call *call, gigachat_status status) {
    CHECK(count_reaches(&watch->destroyed, 1));
    CHECK(count_now(&watch->called) == 1);
    CHECK(count_now(&watch->destroyed) == 1);
    CHECK(watch->called_before_destroyed);
    CHECK_STATUS(watch->status, status);
    CHECK(watch->call == call);
    CHECK(!pthread_equal(watch->thread, pthread_self()));
}

static gigachat_call *start(gigachat_provider *provider) {
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_generate_start(provider, "repeat: yes", GIGACHAT_ZT, NULL, &call, NULL));
    return call;
}

static void a_callback_set_before_or_after_the_end_runs_once(gigachat_provider *provider) {
    int after;
    for (after = 0; after < 2; after++) {
        Watch watch = UNSEEN;
        gigachat_response *response = NULL;
        gigachat_call *call = start(provider);
        if (after) {
            CHECK_OK(gigachat_call_wait(call, -1, NULL));
        }
        CHECK_OK(gigachat_call_on_done(call, note_call, &watch, note_destroy, NULL));
        check_seen_once(&watch, call, GIGACHAT_OK);
        CHECK_OK(gigachat_call_take(call, &response, NULL));
        gigachat_response_free(response);
        gigachat_call_free(call);
    }
}

static void a_call_has_one_callback_or_one_queue(gigachat_provider *provider) {
    Watch watch = UNSEEN;
    Watch refused = UNSEEN;
    gigachat_queue *queue = NULL;
    gigachat_call *call = start_endless(provider);
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_call_on_done(call, note_call, &watch, note_destroy, NULL));
    CHECK_STATUS(gigachat_call_on_done(call, note_call, &refused, note_destroy, NULL),
                 GIGACHAT_ERROR_ALREADY_SET);
    CHECK_STATUS(gigachat_call_attach(call, queue, 1, NULL), GIGACHAT_ERROR_ALREADY_SET);
    CHECK_OK(gigachat_call_cancel(call, NULL));
    check_seen_once(&watch, call, GIGACHAT_ERROR_CANCELLED);
    /* Also when the first one has run already. */
    CHECK_STATUS(gigachat_call_on_done(call, note_call, &refused, note_destroy, NULL),
                 GIGACHAT_ERROR_ALREADY_SET);
    CHECK_STATUS(gigachat_call_attach(call, queue, 1, NULL), GIGACHAT_ERROR_ALREADY_SET);
    CHECK(count_now(&refused.called) == 0 && count_now(&refused.destroyed) == 0);
    gigachat_call_free(call);
    gigachat_queue_free(queue);
}

static void a_freed_call_tells_its_callback_that_it_is_cancelled(gigachat_provider *provider) {
    Watch watch = UNSEEN;
    gigachat_response *response = NULL;
    gigachat_call *call = start_endless(provider);
    CHECK_OK(gigachat_call_on_done(call, note_call, &watch, note_destroy, NULL));
    gigachat_call_free(call);
    check_seen_once(&watch, call, GIGACHAT_ERROR_CANCELLED);
    CHECK_STATUS(gigachat_call_take(watch.call, &response, NULL), GIGACHAT_ERROR_INVALID_HANDLE);
}

static void a_callback_on_a_dead_call_or_without_a_function_is_refused(
    gigachat_provider *provider) {
    Watch watch = UNSEEN;
    gigachat_call *call = start(provider);
    CHECK_STATUS(gigachat_call_on_done(call, NULL, &watch, note_destroy, NULL),
                 GIGACHAT_ERROR_NULL_ARGUMENT);
    gigachat_call_free(call);
    CHECK_STATUS(gigachat_call_on_done(call, note_call, &watch, note_destroy, NULL),
                 GIGACHAT_ERROR_INVALID_HANDLE);
    CHECK(count_now(&watch.called) == 0 && count_now(&watch.destroyed) == 0);
}

static void a_callback_needs_no_destroy_hook_and_no_data(gigachat_provider *provider) {
    Watch watch = UNSEEN;
    gigachat_call *call = start(provider);
    CHECK_OK(gigachat_call_on_done(call, note_call, &watch, NULL, NULL));
    CHECK(count_reaches(&watch.called, 1));
    gigachat_call_free(call);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    a_callback_set_before_or_after_the_end_runs_once(provider);
    a_call_has_one_callback_or_one_queue(provider);
    a_freed_call_tells_its_callback_that_it_is_cancelled(provider);
    a_callback_on_a_dead_call_or_without_a_function_is_refused(provider);
    a_callback_needs_no_destroy_hook_and_no_data(provider);
    gigachat_provider_free(provider);
    return finish();
}
