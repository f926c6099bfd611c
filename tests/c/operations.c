/*
 * The doors for every operation: requests that name one, or a method and a path; answers that are
 * read by JSON pointer; vectors.
 */
#include "fixture.h"

static gigachat_request *named(const char *operation) {
    gigachat_request *request = NULL;
    CHECK_OK(gigachat_request_new(operation, GIGACHAT_ZT, &request, NULL));
    return request;
}

static void set(gigachat_request *request, const char *name, const char *value) {
    CHECK_OK(gigachat_request_set(request, name, GIGACHAT_ZT, value, GIGACHAT_ZT));
}

static void an_answer_is_read_by_json_pointer(gigachat_provider *provider) {
    static const char JSON[] = "application/json";
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    size_t length = 0;
    int64_t whole = 7;
    double number = 0;
    CHECK_OK(ask_for(provider, "balance", NULL, &response, &error));
    CHECK_NO_ERROR(error);
    CHECK(gigachat_response_count_at(response, "/balance", GIGACHAT_ZT) > 0);
    CHECK(gigachat_response_count_at(response, "/balance/0/value", GIGACHAT_ZT) == -1);
    CHECK(gigachat_response_text_at(response, "/balance/0/usage", GIGACHAT_ZT, &length) != NULL);
    CHECK(length == strlen(gigachat_response_text_at(response, "/balance/0/usage", GIGACHAT_ZT, NULL)));
    CHECK(gigachat_response_text_at(response, "/balance/0/value", GIGACHAT_ZT, &length) == NULL);
    CHECK(length == 0);
    CHECK_OK(gigachat_response_number_at(response, "/balance/0/value", GIGACHAT_ZT, &number, NULL));
    CHECK(number > 0);
    CHECK_OK(gigachat_response_integer_at(response, "/balance/0/value", GIGACHAT_ZT, &whole, NULL));
    CHECK((double)whole == number);
    CHECK_STATUS(gigachat_response_integer_at(response, "/balance/9", GIGACHAT_ZT, &whole, &error),
                 GIGACHAT_ERROR_NOT_FOUND);
    CHECK(whole == 0 && strstr(gigachat_error_message(error, NULL), "/balance/9") != NULL);
    gigachat_error_free(error);
    CHECK_STATUS(gigachat_response_number_at(response, "", 0, &number, NULL), GIGACHAT_ERROR_NOT_FOUND);
    CHECK(strncmp(gigachat_response_content_type(response, NULL), JSON, sizeof JSON - 1) == 0);
    CHECK(gigachat_response_body(response, NULL)[0] == '{');
    CHECK(gigachat_response_request_id(response, NULL) != NULL);
    CHECK(gigachat_response_attempts(response) == 1 && gigachat_response_total_us(response) > 0);
    CHECK(gigachat_response_text(response, NULL) == NULL);
    CHECK(gigachat_response_vectors(response, NULL, NULL) == NULL);
    gigachat_response_free(response);
}

static void a_path_of_the_service_is_an_operation_too(gigachat_provider *provider) {
    gigachat_request *request = named("POST /tokens/count");
    gigachat_response *response = NULL;
    int64_t tokens = 0;
    CHECK_OK(ask_for(provider, "GET /balance", NULL, &response, NULL));
    CHECK(gigachat_response_count_at(response, "/balance", GIGACHAT_ZT) > 0);
    gigachat_response_free(response);
    CHECK_STATUS(ask_for(provider, "GET /api/v1/nowhere", NULL, &response, NULL),
                 GIGACHAT_ERROR_NOT_FOUND);
    CHECK_OK(gigachat_request_set_json(request, "{\"model\": \"GigaChat\", \"input\": [\"a b\"]}",
                                       GIGACHAT_ZT));
    CHECK_OK(gigachat_perform(provider, request, NULL, &response, NULL));
    CHECK_OK(gigachat_response_integer_at(response, "/0/tokens", GIGACHAT_ZT, &tokens, NULL));
    CHECK(tokens > 0);
    gigachat_response_free(response);
    gigachat_request_free(request);
}

static void parts_of_a_path_and_options_are_filled_in(gigachat_provider *provider) {
    gigachat_request *request = named("model");
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(strstr(gigachat_error_message(error, NULL), "model") != NULL);
    gigachat_error_free(error);
    CHECK_OK(gigachat_request_set_path(request, "model", GIGACHAT_ZT, "GigaChat", GIGACHAT_ZT));
    CHECK_OK(gigachat_request_set_query(request, "x", 1, "1&2", 3));
    set(request, "request_id", "my-model-1");
    set(request, "timeout", "60");
    CHECK_OK(gigachat_perform(provider, request, NULL, &response, NULL));
    CHECK(strcmp(gigachat_response_text_at(response, "/id", GIGACHAT_ZT, NULL), "GigaChat") == 0);
    gigachat_response_free(response);
    CHECK_OK(gigachat_request_set_path(request, "model", GIGACHAT_ZT, "Nobody", GIGACHAT_ZT));
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, NULL), GIGACHAT_ERROR_NOT_FOUND);
    gigachat_request_free(request);
}

static void embeddings_are_lent_as_one_block_of_floats(gigachat_provider *provider) {
    gigachat_request *request = named("embeddings");
    gigachat_response *response = NULL;
    gigachat_call *call = NULL;
    const float *vectors;
    size_t rows = 0, columns = 0;
    CHECK_OK(gigachat_request_add_text(request, "one", GIGACHAT_ZT));
    CHECK_OK(gigachat_request_add_text(request, "two", GIGACHAT_ZT));
    CHECK_OK(gigachat_request_add_text(request, "one", GIGACHAT_ZT));
    CHECK_OK(gigachat_start(provider, request, &call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_OK(gigachat_call_take(call, &response, NULL));
    vectors = gigachat_response_vectors(response, &rows, &columns);
    CHECK(vectors != NULL && rows == 3 && columns > 100);
    CHECK(memcmp(vectors, vectors + 2 * columns, columns * sizeof *vectors) == 0);
    CHECK(memcmp(vectors, vectors + columns, columns * sizeof *vectors) != 0);
    CHECK(gigachat_response_prompt_tokens(response) > 0);
    CHECK(gigachat_response_body(response, NULL)[0] == '\0');
    gigachat_response_free(response);
    gigachat_call_free(call);
    gigachat_request_free(request);
}

static void the_first_refusal_of_a_request_is_kept_and_told(gigachat_provider *provider) {
    gigachat_request *request = named("embeddings");
    gigachat_response *response = NULL;
    gigachat_stream *stream = NULL;
    gigachat_error *error = NULL;
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_request_add_text(request, "x", 1));
    CHECK_STATUS(gigachat_request_set(request, "timeot", 6, "5", 1), GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set(request, "temperature", GIGACHAT_ZT, "1", 1),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_message(request, "user", 4, "x", 1),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_bytes(request, NULL, 0, "x", 1), GIGACHAT_ERROR_INVALID_REQUEST);
    set(request, "timeout", "5");
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(response == NULL);
    CHECK(strstr(gigachat_error_message(error, NULL), "did you mean timeout?") != NULL);
    gigachat_error_free(error);
    CHECK_STATUS(gigachat_start(provider, request, &call, NULL), GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_open(provider, request, &stream, NULL), GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(call == NULL && stream == NULL);
    gigachat_request_free(request);
}

static void an_unknown_operation_or_path_is_refused_when_it_is_named(void) {
    static const struct {
        const char *operation, *said;
    } TABLE[] = {
        {"ballance", "did you mean balance?"},
        {"token_count", "did you mean tokens_count?"},
        {"PUT /balance", "GET or POST"},
        {"GET https://elsewhere.example/", "without scheme"},
        {"GET /v1/../admin", ".."},
        {"POST", "did you mean post?"},
        {"unheard_of", "there are chat, "},
    };
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        gigachat_request *request = NULL;
        gigachat_error *error = NULL;
        const char *said;
        CHECK_STATUS(gigachat_request_new(TABLE[at].operation, GIGACHAT_ZT, &request, &error),
                     GIGACHAT_ERROR_INVALID_REQUEST);
        said = gigachat_error_message(error, NULL);
        check_that(request == NULL && said != NULL && strstr(said, TABLE[at].said) != NULL,
                   said == NULL ? "no text" : said, __FILE__, __LINE__);
        gigachat_error_free(error);
    }
}

static void a_request_that_is_changed_does_not_change_calls_that_run(gigachat_provider *provider) {
    gigachat_request *request = open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 300}");
    gigachat_call *call = NULL;
    gigachat_response *response = NULL;
    CHECK_OK(gigachat_start(provider, request, &call, NULL));
    set(request, "timeout", "0.001");
    CHECK_OK(gigachat_request_add_message(request, "user", 4, "repeat: changed", GIGACHAT_ZT));
    gigachat_request_free(request);
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_OK(gigachat_call_take(call, &response, NULL));
    CHECK(strcmp(gigachat_response_text(response, NULL), "changed") != 0);
    gigachat_response_free(response);
    gigachat_call_free(call);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    an_answer_is_read_by_json_pointer(provider);
    a_path_of_the_service_is_an_operation_too(provider);
    parts_of_a_path_and_options_are_filled_in(provider);
    embeddings_are_lent_as_one_block_of_floats(provider);
    the_first_refusal_of_a_request_is_kept_and_told(provider);
    an_unknown_operation_or_path_is_refused_when_it_is_named();
    a_request_that_is_changed_does_not_change_calls_that_run(provider);
    gigachat_provider_free(provider);
    return finish();
}
