/*
 * One call, handled by its handle: start, wait, take, cancel, and what a call sets for itself.
 */
#include "fixture.h"

static void a_call_is_started_waited_for_and_taken_once(gigachat_provider *provider) {
    gigachat_call *call = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_generate_start(provider, "repeat: hello", GIGACHAT_ZT, NULL, &call, &error));
    CHECK_NO_ERROR(error);
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_OK(gigachat_call_wait(call, 0, NULL));
    CHECK_OK(gigachat_call_take(call, &response, &error));
    CHECK(response != NULL && strcmp(gigachat_response_text(response, NULL), "hello") == 0);
    gigachat_response_free(response);
    response = (gigachat_response *)1;
    CHECK_STATUS(gigachat_call_take(call, &response, &error), GIGACHAT_ERROR_ALREADY_TAKEN);
    CHECK(response == NULL);
    CHECK(gigachat_error_status(error) == GIGACHAT_ERROR_ALREADY_TAKEN);
    gigachat_error_free(error);
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    gigachat_call_free(call);
}

static void a_running_call_answers_not_yet(gigachat_provider *provider) {
    gigachat_call *call = start_endless(provider);
    gigachat_response *response = NULL;
    CHECK_STATUS(gigachat_call_wait(call, 0, NULL), GIGACHAT_NOT_YET);
    CHECK_STATUS(gigachat_call_wait(call, 20, NULL), GIGACHAT_NOT_YET);
    CHECK_STATUS(gigachat_call_take(call, &response, NULL), GIGACHAT_NOT_YET);
    CHECK(response == NULL);
    gigachat_call_free(call);
}

static void a_failed_call_gives_its_cause(gigachat_provider *provider) {
    gigachat_request *request = open_request("x", "{\"type\": \"status\", \"code\": 402}");
    gigachat_call *call = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_start(provider, request, &call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, &error), GIGACHAT_ERROR_PAYMENT_REQUIRED);
    CHECK(response == NULL);
    CHECK(gigachat_error_http_status(error) == 402);
    CHECK(gigachat_error_attempts(error) == 1);
    gigachat_error_free(error);
    gigachat_call_free(call);
    gigachat_request_free(request);
}

static void every_operation_is_started_and_taken_alike(gigachat_provider *provider) {
    gigachat_request *request =
        request_of_json("{\"messages\": [{\"role\": \"user\", \"content\": \"repeat: json\"}]}");
    gigachat_call *health = NULL;
    gigachat_call *models = NULL;
    gigachat_call *json = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    int64_t count = 0;
    size_t length = 1;
    CHECK_OK(start_for(provider, "health", &health));
    CHECK_OK(start_for(provider, "models", &models));
    CHECK_OK(gigachat_start(provider, request, &json, NULL));
    CHECK_OK(gigachat_call_wait(health, -1, NULL));
    CHECK_OK(gigachat_call_wait(models, -1, NULL));
    CHECK_OK(gigachat_call_wait(json, -1, NULL));
    CHECK_OK(gigachat_call_take(health, &response, NULL));
    CHECK(gigachat_response_total_us(response) > 0);
    CHECK_OK(gigachat_response_integer_at(response, "/models", GIGACHAT_ZT, &count, NULL));
    CHECK(count > 0);
    CHECK(gigachat_response_text(response, NULL) == NULL);
    gigachat_response_free(response);
    CHECK_STATUS(gigachat_call_take(health, &response, &error), GIGACHAT_ERROR_ALREADY_TAKEN);
    CHECK(strstr(gigachat_error_json(error, &length), "\"kind\":\"invalid_request\"") != NULL);
    CHECK(length == strlen(gigachat_error_json(error, NULL)));
    CHECK(gigachat_error_json(NULL, &length) == NULL && length == 0);
    gigachat_error_free(error);
    CHECK_OK(gigachat_call_take(models, &response, NULL));
    CHECK(gigachat_response_count_at(response, "/data", GIGACHAT_ZT) == count);
    gigachat_response_free(response);
    CHECK_OK(gigachat_call_take(json, &response, NULL));
    CHECK(response != NULL && strcmp(gigachat_response_text(response, NULL), "json") == 0);
    gigachat_response_free(response);
    gigachat_request_free(request);
    gigachat_call_free(health);
    gigachat_call_free(models);
    gigachat_call_free(json);
}

static void cancel_before_the_start_during_the_call_twice_and_after_the_end(
    gigachat_provider *provider) {
    gigachat_call *call = start_endless(provider);
    gigachat_response *response = NULL;
    CHECK(emulator_wait("in_flight", 1, ANY));
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, NULL), GIGACHAT_ERROR_CANCELLED);
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, NULL), GIGACHAT_ERROR_ALREADY_TAKEN);
    gigachat_call_free(call);
    CHECK(emulator_wait("in_flight", 0, 0));

    /* A result that is there wins over a cancel that comes late. */
    CHECK_OK(gigachat_generate_start(provider, "repeat: won", GIGACHAT_ZT, NULL, &call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_OK(gigachat_call_take(call, &response, NULL));
    gigachat_response_free(response);
    gigachat_call_free(call);

    /* As soon as it is started, most likely before its task has run. */
    call = start_endless(provider);
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, NULL), GIGACHAT_ERROR_CANCELLED);
    gigachat_call_free(call);
}

static void a_call_has_settings_of_its_own(gigachat_provider *provider) {
    gigachat_request *request =
        open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(set_ms(request, "timeout", 200));
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error), GIGACHAT_ERROR_TIMEOUT);
    CHECK(gigachat_error_phase(error, NULL) != NULL &&
          strcmp(gigachat_error_phase(error, NULL), "answer") == 0);
    gigachat_error_free(error);
    gigachat_request_free(request);

    request = open_request("repeat: mine", NULL);
    CHECK_OK(gigachat_request_set(request, "request_id", GIGACHAT_ZT, "my-id-1", GIGACHAT_ZT));
    CHECK_OK(gigachat_request_set(request, "session_id", GIGACHAT_ZT, "my-session-1", GIGACHAT_ZT));
    CHECK_OK(gigachat_request_set(request, "client_id", GIGACHAT_ZT, "my-client-1", GIGACHAT_ZT));
    CHECK_OK(gigachat_request_set(request, "model", GIGACHAT_ZT, "GigaChat-2-Max", GIGACHAT_ZT));
    CHECK_OK(gigachat_perform(provider, request, NULL, &response, &error));
    CHECK_NO_ERROR(error);
    CHECK(strncmp(gigachat_response_model(response, NULL), "GigaChat-2-Max", 14) == 0);
    CHECK(strcmp(gigachat_response_session_id(response, NULL), "my-session-1") == 0);
    CHECK(gigachat_response_attempts(response) == 1);
    gigachat_response_free(response);
    gigachat_request_free(request);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    a_call_is_started_waited_for_and_taken_once(provider);
    a_running_call_answers_not_yet(provider);
    a_failed_call_gives_its_cause(provider);
    every_operation_is_started_and_taken_alike(provider);
    cancel_before_the_start_during_the_call_twice_and_after_the_end(provider);
    a_call_has_settings_of_its_own(provider);
    gigachat_provider_free(provider);
    return finish();
}
