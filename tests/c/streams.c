/*
 * Streams: timeouts of the reader, the end, the whole answer, broken and cancelled streams.
 */
#include "fixture.h"

static void a_stream_is_read_to_its_end(gigachat_provider *provider) {
    gigachat_stream *stream = NULL;
    gigachat_event *event = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    int texts = 0;
    CHECK_OK(gigachat_generate_stream(provider, "count to 20", GIGACHAT_ZT, NULL, &stream, NULL));
    CHECK_STATUS(gigachat_stream_response(stream, &response, NULL), GIGACHAT_NOT_YET);
    CHECK(response == NULL);
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_STREAM_END);
    CHECK(texts > 1);
    CHECK_STATUS(gigachat_stream_next(stream, -1, &event, &error), GIGACHAT_STREAM_END);
    CHECK_STATUS(gigachat_stream_next(stream, 0, &event, &error), GIGACHAT_STREAM_END);
    CHECK(event == NULL && error == NULL);
    CHECK_OK(gigachat_stream_cancel(stream, NULL));
    CHECK_OK(gigachat_stream_response(stream, &response, NULL));
    CHECK(strncmp(gigachat_response_text(response, NULL), "1, 2, 3", 7) == 0);
    CHECK(strcmp(gigachat_response_finish_reason(response, NULL), "stop") == 0);
    CHECK(gigachat_response_total_tokens(response) > 0);
    CHECK(strcmp(gigachat_response_body(response, NULL), "") == 0);
    gigachat_response_free(response);
    gigachat_stream_free(stream);
}

static void a_reader_waits_as_long_as_it_likes(gigachat_provider *provider) {
    gigachat_stream *stream = open_endless(provider);
    gigachat_event *event = (gigachat_event *)1;
    double begun;
    int at;
    for (at = 0; at < 2; at++) {
        CHECK_OK(gigachat_stream_next(stream, 60000, &event, NULL));
        CHECK(gigachat_event_kind(event) == GIGACHAT_EVENT_TEXT);
        CHECK(gigachat_event_prompt_tokens(event) == -1);
        gigachat_event_free(event);
    }
    CHECK_STATUS(gigachat_stream_next(stream, 0, &event, NULL), GIGACHAT_NOT_YET);
    CHECK(event == NULL);
    begun = seconds_now();
    CHECK_STATUS(gigachat_stream_next(stream, 50, &event, NULL), GIGACHAT_NOT_YET);
    CHECK(seconds_now() - begun >= 0.049);
    gigachat_stream_free(stream);
    CHECK_STATUS(gigachat_stream_next(stream, 0, &event, NULL), GIGACHAT_ERROR_INVALID_HANDLE);
}

static void a_cancelled_stream_gives_what_had_arrived(gigachat_provider *provider) {
    gigachat_stream *stream = open_endless(provider);
    gigachat_event *event = NULL;
    gigachat_error *error = NULL;
    gigachat_response *response = NULL;
    int again;
    CHECK_OK(gigachat_stream_next(stream, 60000, &event, NULL));
    gigachat_event_free(event);
    CHECK_OK(gigachat_stream_cancel(stream, NULL));
    CHECK_OK(gigachat_stream_cancel(stream, NULL));
    for (again = 0; again < 2; again++) {
        CHECK_STATUS(gigachat_stream_next(stream, -1, &event, &error), GIGACHAT_ERROR_CANCELLED);
        CHECK(event == NULL);
        CHECK(strncmp(gigachat_error_partial_text(error, NULL), "1", 1) == 0);
        gigachat_error_free(error);
    }
    CHECK_STATUS(gigachat_stream_response(stream, &response, NULL), GIGACHAT_NOT_YET);
    gigachat_stream_free(stream);
}

static void a_stream_that_is_cut_says_so_after_all_it_had(gigachat_provider *provider) {
    gigachat_request *request =
        open_request("count to 50", "{\"type\": \"cut_after\", \"chunks\": 3}");
    gigachat_stream *stream = NULL;
    gigachat_event *event = NULL;
    gigachat_error *error = NULL;
    int texts = 0;
    CHECK_OK(gigachat_open(provider, request, &stream, NULL));
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_ERROR_INCOMPLETE_STREAM);
    CHECK(texts == 3);
    CHECK_STATUS(gigachat_stream_next(stream, -1, &event, &error), GIGACHAT_ERROR_INCOMPLETE_STREAM);
    CHECK(gigachat_error_partial_text(error, NULL) != NULL);
    gigachat_error_free(error);
    gigachat_stream_free(stream);
    gigachat_request_free(request);
}

static void a_stream_that_is_refused_says_so_at_the_first_read(gigachat_provider *provider) {
    gigachat_request *request = open_request("x", "{\"type\": \"status\", \"code\": 403}");
    gigachat_stream *stream = NULL;
    int texts = 0;
    CHECK_OK(gigachat_open(provider, request, &stream, NULL));
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_ERROR_PERMISSION_DENIED);
    CHECK(texts == 0);
    gigachat_stream_free(stream);
    gigachat_request_free(request);
}

static void a_stream_of_text_is_read_in_one_call_a_piece(gigachat_provider *provider) {
    gigachat_request *request = open_request("count to 9", NULL);
    gigachat_stream *stream = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;
    const char *text = NULL;
    char whole[200] = "";
    size_t length = 0;
    CHECK_OK(gigachat_open(provider, request, &stream, NULL));
    while ((status = gigachat_stream_next_text(stream, -1, &text, &length, &error)) == GIGACHAT_OK) {
        CHECK(text != NULL && length > 0 && strlen(text) == length);
        strncat(whole, text, sizeof whole - strlen(whole) - 1);
    }
    CHECK_STATUS(status, GIGACHAT_STREAM_END);
    CHECK(text == NULL && length == 0 && error == NULL);
    CHECK(strncmp(whole, "1, 2", 4) == 0 && strchr(whole, '9') != NULL);
    gigachat_stream_free(stream);
    gigachat_request_free(request);

    stream = open_endless(provider);
    while ((status = gigachat_stream_next_text(stream, 50, &text, NULL, NULL)) == GIGACHAT_OK) {
    }
    CHECK_STATUS(status, GIGACHAT_NOT_YET);
    CHECK_OK(gigachat_stream_cancel(stream, NULL));
    CHECK_STATUS(gigachat_stream_next_text(stream, -1, &text, NULL, &error),
                 GIGACHAT_ERROR_CANCELLED);
    CHECK(strncmp(gigachat_error_partial_text(error, NULL), "1", 1) == 0);
    gigachat_error_free(error);
    gigachat_stream_free(stream);
}

static void what_does_not_answer_in_parts_is_refused(gigachat_provider *provider) {
    gigachat_request *request = NULL;
    gigachat_stream *stream = NULL;
    CHECK_OK(gigachat_request_new("balance", GIGACHAT_ZT, &request, NULL));
    CHECK_STATUS(gigachat_open(provider, request, &stream, NULL), GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(stream == NULL);
    gigachat_request_free(request);
}

static void a_stream_outlives_its_provider(void) {
    gigachat_provider *provider = open_provider();
    gigachat_stream *stream = NULL;
    gigachat_response *response = NULL;
    gigachat_request *request =
        request_of_json("{\"messages\": [{\"role\": \"user\", \"content\": \"count to 9\"}]}");
    int texts = 0;
    CHECK_OK(gigachat_open(provider, request, &stream, NULL));
    gigachat_request_free(request);
    gigachat_provider_free(provider);
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_STREAM_END);
    CHECK_OK(gigachat_stream_response(stream, &response, NULL));
    gigachat_stream_free(stream);
    CHECK(strstr(gigachat_response_text(response, NULL), "9") != NULL);
    gigachat_response_free(response);
}

static void *read_until_it_breaks(void *data) {
    gigachat_stream *stream = data;
    int texts = 0;
    return (void *)(intptr_t)read_to_end(stream, &texts);
}

static void freeing_a_stream_ends_the_read_of_another_thread(gigachat_provider *provider) {
    gigachat_stream *stream = open_endless(provider);
    pthread_t reader = run_thread(read_until_it_breaks, stream);
    void *status = NULL;
    CHECK(emulator_wait("open_streams", 1, ANY));
    gigachat_stream_free(stream);
    pthread_join(reader, &status);
    /* Either the read was under way, or the handle was dead when the next one began. */
    CHECK((intptr_t)status == GIGACHAT_ERROR_CANCELLED ||
          (intptr_t)status == GIGACHAT_ERROR_INVALID_HANDLE);
    CHECK(emulator_wait("open_streams", 0, 0));
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    a_stream_is_read_to_its_end(provider);
    a_reader_waits_as_long_as_it_likes(provider);
    a_cancelled_stream_gives_what_had_arrived(provider);
    a_stream_that_is_cut_says_so_after_all_it_had(provider);
    a_stream_that_is_refused_says_so_at_the_first_read(provider);
    a_stream_of_text_is_read_in_one_call_a_piece(provider);
    what_does_not_answer_in_parts_is_refused(provider);
    a_stream_outlives_its_provider();
    freeing_a_stream_ends_the_read_of_another_thread(provider);
    gigachat_provider_free(provider);
    return finish();
}
