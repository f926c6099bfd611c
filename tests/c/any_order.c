/*
 * I15. Frees in every order, twice, from many threads, while others use the same handles.
 */
#include "fixture.h"

enum { CONFIG, PARAMS, REQUEST, CANCEL, PROVIDER, QUEUE, CALL, ASKED, STREAM, KINDS };

typedef struct Handles {
    gigachat_config *config;
    gigachat_params *params;
    gigachat_request *request;
    gigachat_cancel *cancel;
    gigachat_provider *provider;
    gigachat_queue *queue;
    gigachat_call *call;
    gigachat_call *asked;
    gigachat_stream *stream;
} Handles;

static void count_call(void *data, gigachat_call *call, gigachat_status status) {
    (void)call;
    (void)status;
    count_up(data);
}

static void open_all(Handles *handles, Count *called) {
    handles->config = open_config();
    CHECK_OK(gigachat_params_new(&handles->params, NULL));
    CHECK_OK(gigachat_cancel_new(&handles->cancel, NULL));
    CHECK_OK(gigachat_queue_new(&handles->queue, NULL));
    CHECK_OK(gigachat_provider_new(handles->config, &handles->provider, NULL));
    handles->request = open_request("x", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    CHECK_OK(gigachat_request_set_params(handles->request, handles->params));
    handles->call = start_endless(handles->provider);
    handles->asked = start_endless(handles->provider);
    handles->stream = open_endless(handles->provider);
    CHECK_OK(gigachat_call_attach(handles->call, handles->queue, 1, NULL));
    CHECK_OK(gigachat_call_on_done(handles->asked, count_call, called, NULL, NULL));
    CHECK_OK(gigachat_stream_attach(handles->stream, handles->queue, 2, NULL));
}

static void free_one(Handles *handles, int which) {
    switch (which) {
    case CONFIG: gigachat_config_free(handles->config); break;
    case PARAMS: gigachat_params_free(handles->params); break;
    case REQUEST: gigachat_request_free(handles->request); break;
    case CANCEL: gigachat_cancel_free(handles->cancel); break;
    case PROVIDER: gigachat_provider_free(handles->provider); break;
    case QUEUE: gigachat_queue_free(handles->queue); break;
    case CALL: gigachat_call_free(handles->call); break;
    case ASKED: gigachat_call_free(handles->asked); break;
    case STREAM: gigachat_stream_free(handles->stream); break;
    }
}

static void handles_are_freed_in_any_order_and_twice(void) {
    Count called = COUNT_OF_NOTHING;
    unsigned random = 12345;
    int round, at;
    for (round = 0; round < rounds(60); round++) {
        Handles handles;
        int order[KINDS];
        open_all(&handles, &called);
        for (at = 0; at < KINDS; at++) {
            int other;
            random = random * 1103515245u + 12345u;
            other = (int)((random >> 16) % (unsigned)(at + 1));
            order[at] = order[other];
            order[other] = at;
        }
        for (at = 0; at < KINDS; at++) {
            free_one(&handles, order[at]);
            free_one(&handles, order[at]);
        }
        CHECK(gigachat_live_handles() == 0);
        CHECK(count_reaches(&called, round + 1));
    }
    CHECK(count_now(&called) == rounds(60));
    CHECK(emulator_wait("in_flight", 0, 0));
}

static Handles shared;
static int go_on;

/* Uses whatever is in `shared`, dead or alive; only the absence of a crash and a status count. */
static void *use_all(void *data) {
    (void)data;
    while (__atomic_load_n(&go_on, __ATOMIC_SEQ_CST)) {
        gigachat_response *response = NULL;
        gigachat_event *event = NULL;
        gigachat_call *call = NULL;
        gigachat_error *error = NULL;
        uint64_t tag = 0;
        size_t count = 0;
        gigachat_status status;
        status = gigachat_call_wait(shared.call, 1, &error);
        CHECK(status == GIGACHAT_OK || status == GIGACHAT_NOT_YET ||
              status == GIGACHAT_ERROR_INVALID_HANDLE);
        gigachat_error_free(error);
        gigachat_call_take(shared.asked, &response, NULL);
        gigachat_response_free(response);
        status = gigachat_stream_next(shared.stream, 1, &event, &error);
        CHECK(status == GIGACHAT_OK || status == GIGACHAT_NOT_YET ||
              status == GIGACHAT_ERROR_CANCELLED || status == GIGACHAT_ERROR_INVALID_HANDLE);
        gigachat_error_free(error);
        gigachat_event_free(event);
        status = gigachat_queue_take(shared.queue, 1, &tag, 1, &count, NULL);
        /* Cancelled: the queue was freed while this thread waited. */
        CHECK(status == GIGACHAT_OK || status == GIGACHAT_NOT_YET ||
              status == GIGACHAT_ERROR_CANCELLED || status == GIGACHAT_ERROR_INVALID_HANDLE);
        gigachat_call_attach(shared.call, shared.queue, 3, NULL);
        gigachat_stream_attach(shared.stream, shared.queue, 4, NULL);
        gigachat_provider_permits(shared.provider, NULL, NULL, NULL, &count, NULL);
        gigachat_config_set_model(shared.config, "m", 1);
        gigachat_params_set(shared.params, "top_p", GIGACHAT_ZT, "0.5", GIGACHAT_ZT);
        gigachat_request_set_params(shared.request, shared.params);
        gigachat_start(shared.provider, shared.request, &call, NULL);
        gigachat_call_free(call);
        gigachat_cancel_now(shared.cancel, NULL);
    }
    return NULL;
}

static void threads_free_while_others_call(void) {
    static Count called = COUNT_OF_NOTHING; /* callbacks may come after this function's end */
    pthread_t users[3];
    int round, at;
    open_all(&shared, &called);
    go_on = 1;
    for (at = 0; at < 3; at++) {
        users[at] = run_thread(use_all, NULL);
    }
    for (round = 0; round < rounds(60); round++) {
        Handles fresh;
        for (at = 0; at < KINDS; at++) {
            free_one(&shared, (at + round) % KINDS);
        }
        open_all(&fresh, &called);
        /* Words are written while others read them: each is whole, being a machine word. */
        shared = fresh;
    }
    __atomic_store_n(&go_on, 0, __ATOMIC_SEQ_CST);
    for (at = 0; at < 3; at++) {
        pthread_join(users[at], NULL);
    }
    for (at = 0; at < KINDS; at++) {
        free_one(&shared, at);
    }
}

static gigachat_call *contended;

static void *take_it(void *data) {
    gigachat_response *response = NULL;
    (void)data;
    CHECK_OK(gigachat_call_wait(contended, -1, NULL));
    return (void *)(intptr_t)(gigachat_call_take(contended, &response, NULL) == GIGACHAT_OK
                                  ? (gigachat_response_free(response), 1)
                                  : 0);
}

static void one_of_many_takers_gets_the_result(void) {
    gigachat_provider *provider = open_provider();
    int round, at;
    for (round = 0; round < rounds(30); round++) {
        pthread_t takers[4];
        intptr_t taken = 0;
        CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &contended, NULL));
        for (at = 0; at < 4; at++) {
            takers[at] = run_thread(take_it, NULL);
        }
        for (at = 0; at < 4; at++) {
            void *got = NULL;
            pthread_join(takers[at], &got);
            taken += (intptr_t)got;
        }
        CHECK(taken == 1);
        gigachat_call_free(contended);
    }
    gigachat_provider_free(provider);
}

int main(void) {
    begin();
    emulator_reset();
    handles_are_freed_in_any_order_and_twice();
    threads_free_while_others_call();
    one_of_many_takers_gets_the_result();
    return finish();
}
