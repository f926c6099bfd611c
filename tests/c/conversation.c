/*
 * A conversation goes on from answers and results, in either chat: no message is written by hand.
 */
#include "fixture.h"

#define WEATHER                                                                                   \
    "{\"name\": \"weather\", \"parameters\": {\"type\": \"object\", \"properties\": {\"city\": "    \
    "{\"type\": \"string\"}}, \"required\": [\"city\"]}}"
#define RATE                                                                                      \
    "{\"name\": \"rate\", \"parameters\": {\"type\": \"object\", \"properties\": {\"currency\": "   \
    "{\"type\": \"string\"}}, \"required\": [\"currency\"]}}"

static void set(gigachat_request *request, const char *name, const char *value) {
    CHECK_OK(gigachat_request_set(request, name, GIGACHAT_ZT, value, GIGACHAT_ZT));
}

/* One round: the model calls, the program answers, the model says a text. */
static void a_round(gigachat_provider *provider, const char *version, size_t calls) {
    gigachat_request *request = open_request("The weather in Omsk, and the dollar?", NULL);
    gigachat_response *called = NULL, *said = NULL;
    size_t index, length = 0;
    set(request, "api_version", version);
    set(request, "parallel_calls", "true");
    CHECK_OK(gigachat_request_add_function(request, WEATHER, GIGACHAT_ZT));
    CHECK_OK(gigachat_request_add_function(request, RATE, GIGACHAT_ZT));
    CHECK_OK(gigachat_perform(provider, request, NULL, &called, NULL));
    for (index = 0; gigachat_response_call_name(called, index, &length) != NULL; index++) {
        CHECK(length == strlen(gigachat_response_call_name(called, index, NULL)));
        CHECK(gigachat_response_call_arguments(called, index, NULL)[0] == '{');
    }
    CHECK(index == calls);
    CHECK(length == 0 && gigachat_response_call_arguments(called, index, NULL) == NULL);
    CHECK(strcmp(gigachat_response_function_name(called, NULL), "weather") == 0);
    CHECK_OK(gigachat_request_add_response(request, called));
    while (index-- > 0) {
        CHECK_OK(gigachat_request_add_result(request, called, index, "\"fine\"", GIGACHAT_ZT));
    }
    CHECK_OK(gigachat_perform(provider, request, NULL, &said, NULL));
    CHECK(strstr(gigachat_response_text(said, NULL), "fine") != NULL);
    CHECK(gigachat_response_call_name(said, 0, NULL) == NULL);
    gigachat_response_free(called);
    gigachat_response_free(said);
    gigachat_request_free(request);
}

static void an_answer_of_a_stream_goes_back_too(gigachat_provider *provider) {
    gigachat_request *request = open_request("repeat: one", NULL);
    gigachat_stream *stream = NULL;
    gigachat_event *event = NULL;
    gigachat_response *answer = NULL;
    CHECK_OK(gigachat_open(provider, request, &stream, NULL));
    while (gigachat_stream_next(stream, -1, &event, NULL) == GIGACHAT_OK) {
        gigachat_event_free(event);
    }
    CHECK_OK(gigachat_stream_response(stream, &answer, NULL));
    CHECK_OK(gigachat_request_add_response(request, answer));
    gigachat_response_free(answer);
    CHECK_OK(gigachat_request_add_message(request, "user", GIGACHAT_ZT, "show the conversation",
                                          GIGACHAT_ZT));
    CHECK_OK(gigachat_perform(provider, request, NULL, &answer, NULL));
    CHECK(strstr(gigachat_response_text(answer, NULL), "assistant: one") != NULL);
    gigachat_response_free(answer);
    gigachat_stream_free(stream);
    gigachat_request_free(request);
}

static void what_does_not_fit_is_refused(gigachat_provider *provider) {
    gigachat_request *request = open_request("x", NULL);
    gigachat_response *answer = NULL, *balance = NULL;
    CHECK_OK(gigachat_perform(provider, request, NULL, &answer, NULL));
    CHECK_OK(ask_for(provider, "balance", NULL, &balance, NULL));
    CHECK_STATUS(gigachat_request_add_response(request, balance), GIGACHAT_ERROR_INVALID_REQUEST);
    gigachat_request_free(request);
    request = open_request("x", NULL);
    CHECK_STATUS(gigachat_request_add_result(request, answer, 0, "{}", 2),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    gigachat_request_free(request);
    gigachat_response_free(answer);
    gigachat_response_free(balance);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    provider = open_provider();
    a_round(provider, "1", 1);
    a_round(provider, "2", 2);
    an_answer_of_a_stream_goes_back_too(provider);
    what_does_not_fit_is_refused(provider);
    gigachat_provider_free(provider);
    return finish();
}
