/*
 * Options and parameters out of range: each is refused with field, value and range in the text,
 * and nothing is sent.
 */
#include "fixture.h"

typedef gigachat_status (*SetConfigTime)(gigachat_config *, uint64_t, gigachat_error **);
typedef gigachat_status (*SetRequestTime)(gigachat_request *, uint64_t, gigachat_error **);
typedef gigachat_status (*SetConfigBytes)(gigachat_config *, size_t, gigachat_error **);
typedef gigachat_status (*SetConfigCount)(gigachat_config *, uint32_t, gigachat_error **);
typedef gigachat_status (*SetConfigText)(gigachat_config *, const char *, size_t,
                                         gigachat_error **);
typedef gigachat_status (*SetNumber)(gigachat_params *, double, gigachat_error **);

/* Checks and frees an error that must name `field`, `value` and a range. */
static void check_named(gigachat_status status, gigachat_status wanted, gigachat_error **error,
                        const char *field, const char *value, int line) {
    const char *text = gigachat_error_message(*error, NULL);
    char what[512];
    snprintf(what, sizeof what, "line %d: %s with field %s, value %s and a range: %s", line,
             gigachat_status_name(status), field, value, text == NULL ? "no text" : text);
    check_that(status == wanted && text != NULL && strstr(text, field) != NULL &&
                   strstr(text, value) != NULL && strstr(text, "must be") != NULL,
               what, __FILE__, line);
    gigachat_error_free(*error);
    *error = NULL;
}
#define REFUSED(status, wanted, field, value) \
    check_named(status, wanted, &error, field, value, __LINE__)

static gigachat_error *error;

static void times_of_a_configuration(gigachat_config *config) {
    static const struct {
        SetConfigTime set;
        const char *field;
        uint64_t most;
    } TABLE[] = {
        {gigachat_config_set_timeout_ms, "timeout", 3600000},
        {gigachat_config_set_connect_timeout_ms, "connect_timeout", 3600000},
        {gigachat_config_set_queue_timeout_ms, "queue_timeout", 86400000},
        {gigachat_config_set_idle_timeout_ms, "idle_timeout", 3600000},
        {gigachat_config_set_stream_timeout_ms, "stream_timeout", 86400000},
        {gigachat_config_set_health_timeout_ms, "health_timeout", 3600000},
    };
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        char past[32];
        snprintf(past, sizeof past, "%llu", (unsigned long long)TABLE[at].most / 1000);
        CHECK_OK(TABLE[at].set(config, 1, NULL));
        CHECK_OK(TABLE[at].set(config, TABLE[at].most, NULL));
        REFUSED(TABLE[at].set(config, 0, &error), GIGACHAT_ERROR_CONFIGURATION, TABLE[at].field,
                "0");
        REFUSED(TABLE[at].set(config, TABLE[at].most + 1, &error), GIGACHAT_ERROR_CONFIGURATION,
                TABLE[at].field, past);
        REFUSED(TABLE[at].set(config, UINT64_MAX, &error), GIGACHAT_ERROR_CONFIGURATION,
                TABLE[at].field, "184467440737095");
    }
}

static void times_of_a_request(void) {
    static const struct {
        SetRequestTime set;
        const char *field;
        uint64_t most;
    } TABLE[] = {
        {gigachat_request_set_timeout_ms, "timeout", 3600000},
        {gigachat_request_set_queue_timeout_ms, "queue_timeout", 86400000},
        {gigachat_request_set_idle_timeout_ms, "idle_timeout", 3600000},
        {gigachat_request_set_stream_timeout_ms, "stream_timeout", 86400000},
    };
    gigachat_request *request = NULL;
    size_t at;
    CHECK_OK(gigachat_request_new(&request, NULL));
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        CHECK_OK(TABLE[at].set(request, 1, NULL));
        CHECK_OK(TABLE[at].set(request, TABLE[at].most, NULL));
        REFUSED(TABLE[at].set(request, 0, &error), GIGACHAT_ERROR_INVALID_REQUEST, TABLE[at].field,
                "0");
        REFUSED(TABLE[at].set(request, UINT64_MAX, &error), GIGACHAT_ERROR_INVALID_REQUEST,
                TABLE[at].field, "184467440737095");
    }
    gigachat_request_free(request);
}

static void sizes_and_counts(gigachat_config *config) {
    static const struct {
        SetConfigBytes set;
        const char *field;
    } SIZES[] = {
        {gigachat_config_set_max_body_bytes, "max_body_bytes"},
        {gigachat_config_set_max_event_bytes, "max_event_bytes"},
        {gigachat_config_set_read_ahead_bytes, "read_ahead_bytes"},
    };
    static const struct {
        SetConfigCount set;
        const char *field;
        uint32_t past;
    } COUNTS[] = {
        {gigachat_config_set_max_retries, "max_retries", 11},
        {gigachat_config_set_max_concurrency, "max_concurrency", 10001},
    };
    size_t at;
    for (at = 0; at < sizeof SIZES / sizeof SIZES[0]; at++) {
        CHECK_OK(SIZES[at].set(config, 1024, NULL));
        CHECK_OK(SIZES[at].set(config, (size_t)1 << 30, NULL));
        REFUSED(SIZES[at].set(config, 1023, &error), GIGACHAT_ERROR_CONFIGURATION, SIZES[at].field,
                "1023");
        REFUSED(SIZES[at].set(config, SIZE_MAX, &error), GIGACHAT_ERROR_CONFIGURATION,
                SIZES[at].field, "18446744073709551615");
    }
    for (at = 0; at < sizeof COUNTS / sizeof COUNTS[0]; at++) {
        char past[32];
        snprintf(past, sizeof past, "%u", COUNTS[at].past);
        CHECK_OK(COUNTS[at].set(config, 0, NULL));
        CHECK_OK(COUNTS[at].set(config, COUNTS[at].past - 1, NULL));
        REFUSED(COUNTS[at].set(config, COUNTS[at].past, &error), GIGACHAT_ERROR_CONFIGURATION,
                COUNTS[at].field, past);
        REFUSED(COUNTS[at].set(config, UINT32_MAX, &error), GIGACHAT_ERROR_CONFIGURATION,
                COUNTS[at].field, "4294967295");
    }
}

static void texts_of_a_configuration(gigachat_config *config) {
    static const struct {
        SetConfigText set;
        const char *field;
        const char *bad;
    } TABLE[] = {
        {gigachat_config_set_scope, "scope", "GIGACHAT_API_ALL"},
        {gigachat_config_set_scope, "scope", "gigachat_api_pers"},
        {gigachat_config_set_base_url, "base_url", "ftp://giga.chat"},
        {gigachat_config_set_base_url, "base_url", "http://giga.chat/v1"},
        {gigachat_config_set_base_url, "base_url", "no url"},
        {gigachat_config_set_token_url, "token_url", "ftp://giga.chat"},
        {gigachat_config_set_proxy, "proxy", ""},
        {gigachat_config_set_shared_permits, "shared_permits", ""},
        {gigachat_config_set_shared_permits, "shared_permits", "a/relative/path"},
        {gigachat_config_set_name, "name", ""},
        {gigachat_config_set_model, "model", ""},
        {gigachat_config_set_user_agent, "user_agent", ""},
    };
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        gigachat_status status = TABLE[at].set(config, TABLE[at].bad, GIGACHAT_ZT, &error);
        gigachat_config *copy = NULL;
        gigachat_provider *provider = NULL;
        if (status == GIGACHAT_OK) {
            /* Options that only make sense together are judged together. */
            CHECK_OK(gigachat_config_from_env(&copy, NULL));
            CHECK_OK(TABLE[at].set(copy, TABLE[at].bad, GIGACHAT_ZT, NULL));
            status = gigachat_provider_new(copy, &provider, &error);
        }
        check_named(status, GIGACHAT_ERROR_CONFIGURATION, &error, TABLE[at].field, TABLE[at].bad,
                    __LINE__);
        gigachat_provider_free(provider);
        gigachat_config_free(copy);
    }
    REFUSED(gigachat_config_set_extra_header(config, "a b", 3, "c", 1, &error),
            GIGACHAT_ERROR_CONFIGURATION, "extra_header", "a b");
    REFUSED(gigachat_config_set_extra_header(config, "Authorization", 13, "c", 1, &error),
            GIGACHAT_ERROR_CONFIGURATION, "extra_header", "uthorization");
}

static void secrets_are_not_repeated_in_the_refusal(gigachat_config *config) {
    gigachat_status status =
        gigachat_config_set_authorization_key(config, "top secret\n", GIGACHAT_ZT, &error);
    CHECK_STATUS(status, GIGACHAT_ERROR_CONFIGURATION);
    CHECK(strstr(gigachat_error_message(error, NULL), "authorization_key") != NULL);
    CHECK(strstr(gigachat_error_message(error, NULL), "top secret") == NULL);
    gigachat_error_free(error);
    status = gigachat_config_set_access_token(config, "top secret\n", GIGACHAT_ZT, &error);
    CHECK_STATUS(status, GIGACHAT_ERROR_CONFIGURATION);
    CHECK(strstr(gigachat_error_message(error, NULL), "top secret") == NULL);
    gigachat_error_free(error);
    error = NULL;
}

static void generation_parameters(void) {
    static const struct {
        SetNumber set;
        const char *field;
        double bad;
        const char *text;
    } TABLE[] = {
        {gigachat_params_set_temperature, "temperature", -0.1, "-0.1"},
        {gigachat_params_set_temperature, "temperature", 2.5, "2.5"},
        {gigachat_params_set_top_p, "top_p", -1, "-1"},
        {gigachat_params_set_top_p, "top_p", 1.5, "1.5"},
        {gigachat_params_set_repetition_penalty, "repetition_penalty", 0, "0"},
        {gigachat_params_set_repetition_penalty, "repetition_penalty", -1, "-1"},
    };
    static const SetNumber SETTERS[] = {gigachat_params_set_temperature, gigachat_params_set_top_p,
                                        gigachat_params_set_repetition_penalty};
    gigachat_params *params = NULL;
    double nothing = 0;
    size_t at;
    CHECK_OK(gigachat_params_new(&params, NULL));
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        REFUSED(TABLE[at].set(params, TABLE[at].bad, &error), GIGACHAT_ERROR_INVALID_REQUEST,
                TABLE[at].field, TABLE[at].text);
    }
    for (at = 0; at < 3; at++) {
        REFUSED(SETTERS[at](params, nothing / nothing, &error), GIGACHAT_ERROR_INVALID_REQUEST, "",
                "NaN");
        REFUSED(SETTERS[at](params, 1 / nothing, &error), GIGACHAT_ERROR_INVALID_REQUEST, "",
                "inf");
    }
    REFUSED(gigachat_params_set_max_tokens(params, 0, &error), GIGACHAT_ERROR_INVALID_REQUEST,
            "max_tokens", "0");
    REFUSED(gigachat_params_set_max_tokens(params, UINT32_MAX, &error),
            GIGACHAT_ERROR_INVALID_REQUEST, "max_tokens", "4294967295");
    REFUSED(gigachat_params_add_stop(params, "", 0, &error), GIGACHAT_ERROR_INVALID_REQUEST, "stop",
            "");
    for (at = 0; at < 64; at++) {
        CHECK_OK(gigachat_params_add_stop(params, "x", 1, NULL));
    }
    REFUSED(gigachat_params_add_stop(params, "x", 1, &error), GIGACHAT_ERROR_INVALID_REQUEST,
            "stop", "6");
    gigachat_params_free(params);
}

static void bad_requests_name_what_is_wrong(void) {
    static const struct {
        const char *json;
        const char *named;
    } TABLE[] = {
        {"", "json"},
        {"nonsense", "json"},
        {"[]", "object"},
        {"{}", "messages"},
        {"{\"messages\": 1}", "messages"},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"temperature\": \"hot\"}",
         "temperature"},
        {"{\"messages\": [{\"role\": 1}]}", "role"},
    };
    gigachat_request *request = NULL;
    gigachat_provider *provider = open_provider();
    gigachat_response *response = NULL;
    int before = emulator_counter("chat_attempts");
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        const char *json = TABLE[at].json;
        const char *text;
        CHECK_STATUS(gigachat_request_from_json(json, GIGACHAT_ZT, &request, &error),
                     GIGACHAT_ERROR_INVALID_REQUEST);
        CHECK(request == NULL);
        text = gigachat_error_message(error, NULL);
        check_that(text != NULL && strcasestr(text, TABLE[at].named) != NULL,
                   text == NULL ? "no text" : text, __FILE__, __LINE__);
        gigachat_error_free(error);
        CHECK_STATUS(gigachat_chat_json(provider, json, GIGACHAT_ZT, NULL, &response, NULL),
                     GIGACHAT_ERROR_INVALID_REQUEST);
    }
    CHECK_OK(gigachat_request_new(&request, NULL));
    CHECK_STATUS(gigachat_chat(provider, request, NULL, &response, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_field(request, "temperature", GIGACHAT_ZT, "1", 1, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_field(request, "x", 1, "{", 1, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_header(request, "Host", 4, "x", 1, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_function(request, "[]", 2, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_message_json(request, "7", 1, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_function_result(request, "f", 1, "no json", 7, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(emulator_counter("chat_attempts") == before);
    gigachat_request_free(request);
    gigachat_provider_free(provider);
    error = NULL;
}

int main(void) {
    gigachat_config *config = NULL;
    begin();
    emulator_reset();
    CHECK_OK(gigachat_config_new(&config, NULL));
    times_of_a_configuration(config);
    times_of_a_request();
    sizes_and_counts(config);
    texts_of_a_configuration(config);
    secrets_are_not_repeated_in_the_refusal(config);
    generation_parameters();
    bad_requests_name_what_is_wrong();
    gigachat_config_free(config);
    return finish();
}
