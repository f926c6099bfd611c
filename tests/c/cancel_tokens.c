/*
 * Cancel tokens: one token ends every blocking call that it was passed to.
 */
#include "fixture.h"

#define WAITERS 4

typedef struct Waiter {
    gigachat_provider *provider;
    gigachat_cancel *cancel;
    gigachat_status status;
} Waiter;

static void *wait_for_an_answer(void *data) {
    Waiter *waiter = data;
    gigachat_request *request =
        open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    waiter->status = gigachat_perform(waiter->provider, request, waiter->cancel, &response, &error);
    CHECK(response == NULL);
    CHECK(gigachat_error_status(error) == waiter->status);
    gigachat_error_free(error);
    gigachat_request_free(request);
    return NULL;
}

static void one_token_ends_several_calls(gigachat_provider *provider) {
    Waiter waiters[WAITERS];
    pthread_t threads[WAITERS];
    gigachat_cancel *cancel = NULL;
    int at;
    CHECK_OK(gigachat_cancel_new(&cancel, NULL));
    for (at = 0; at < WAITERS; at++) {
        waiters[at].provider = provider;
        waiters[at].cancel = cancel;
        threads[at] = run_thread(wait_for_an_answer, &waiters[at]);
    }
    CHECK(emulator_wait("in_flight", WAITERS, ANY));
    CHECK_OK(gigachat_cancel_now(cancel, NULL));
    CHECK_OK(gigachat_cancel_now(cancel, NULL));
    for (at = 0; at < WAITERS; at++) {
        pthread_join(threads[at], NULL);
        CHECK_STATUS(waiters[at].status, GIGACHAT_ERROR_CANCELLED);
    }
    CHECK(emulator_wait("in_flight", 0, 0));
    gigachat_cancel_free(cancel);
}

static void a_call_begun_with_a_cancelled_token_is_cancelled_at_once(gigachat_provider *provider) {
    gigachat_cancel *cancel = NULL;
    gigachat_response *response = NULL;
    int before = emulator_counter("chat_attempts");
    CHECK_OK(gigachat_cancel_new(&cancel, NULL));
    CHECK_OK(gigachat_cancel_now(cancel, NULL));
    CHECK_STATUS(gigachat_generate(provider, "x", 1, NULL, cancel, &response, NULL),
                 GIGACHAT_ERROR_CANCELLED);
    CHECK_STATUS(gigachat_health_check(provider, -1, cancel, NULL, NULL), GIGACHAT_ERROR_CANCELLED);
    CHECK_STATUS(ask_for(provider, "models", cancel, &response, NULL), GIGACHAT_ERROR_CANCELLED);
    CHECK_STATUS(ask_for(provider, "GET /balance", cancel, &response, NULL), GIGACHAT_ERROR_CANCELLED);
    CHECK(emulator_counter("chat_attempts") == before);
    gigachat_cancel_free(cancel);
}

static void freeing_a_token_ends_nothing(gigachat_provider *provider) {
    gigachat_cancel *cancel = NULL;
    gigachat_response *response = NULL;
    Waiter waiter;
    pthread_t thread;
    CHECK_OK(gigachat_cancel_new(&cancel, NULL));
    CHECK_OK(gigachat_generate(provider, "repeat: a", GIGACHAT_ZT, NULL, cancel, &response, NULL));
    CHECK_OK(gigachat_cancel_now(cancel, NULL));
    CHECK(strcmp(gigachat_response_text(response, NULL), "a") == 0);
    gigachat_response_free(response);
    gigachat_cancel_free(cancel);

    CHECK_OK(gigachat_cancel_new(&cancel, NULL));
    waiter.provider = provider;
    waiter.cancel = cancel;
    thread = run_thread(wait_for_an_answer, &waiter);
    CHECK(emulator_wait("in_flight", 1, ANY));
    gigachat_cancel_free(cancel);
    CHECK_STATUS(gigachat_cancel_now(cancel, NULL), GIGACHAT_ERROR_INVALID_HANDLE);
    CHECK(emulator_wait("in_flight", 1, ANY));
    CHECK_OK(gigachat_shutdown(60000, NULL));
    pthread_join(thread, NULL);
    CHECK_STATUS(waiter.status, GIGACHAT_ERROR_CANCELLED);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    one_token_ends_several_calls(provider);
    a_call_begun_with_a_cancelled_token_is_cancelled_at_once(provider);
    freeing_a_token_ends_nothing(provider);
    gigachat_provider_free(provider);
    return finish();
}
