/*
 * Options out of range: a setter returns its status, and what uses the builder fails with the first
 * that was refused, naming field, value and range. Nothing is sent.
 */
#include "fixture.h"

/* Checks and frees an error that must name `field`, `value` and a range. */
static void check_named(gigachat_status status, gigachat_status wanted, gigachat_error *error,
                        const char *field, const char *value, int line) {
    const char *text = gigachat_error_message(error, NULL);
    char what[512];
    snprintf(what, sizeof what, "line %d: %s with field %s, value %s and a range: %s", line,
             gigachat_status_name(status), field, value, text == NULL ? "no text" : text);
    check_that(status == wanted && gigachat_error_status(error) == wanted && text != NULL &&
                   strstr(text, field) != NULL && strstr(text, value) != NULL &&
                   strstr(text, "must be") != NULL,
               what, __FILE__, line);
    gigachat_error_free(error);
}

/* A configuration with one option, and what a provider made from it says. */
static void refused_by_name(const char *name, const char *value, const char *shown, int line) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;
    CHECK_OK(gigachat_config_from_env(&config, NULL));
    gigachat_config_set(config, name, GIGACHAT_ZT, value, GIGACHAT_ZT);
    status = gigachat_provider_new(config, &provider, &error);
    check_named(status, GIGACHAT_ERROR_CONFIGURATION, error, name, shown, line);
    CHECK(provider == NULL);
    gigachat_config_free(config);
}

static void accepted_by_name(const char *name, const char *value) {
    gigachat_config *config = NULL;
    CHECK_OK(gigachat_config_from_env(&config, NULL));
    CHECK_OK(gigachat_config_set(config, name, GIGACHAT_ZT, value, GIGACHAT_ZT));
    gigachat_config_free(config);
}

static void options_of_a_configuration(void) {
    static const struct {
        const char *name, *least, *most, *below, *above;
    } RANGES[] = {
        {"timeout", "0.001", "3600", "0", "3601"},
        {"connect_timeout", "0.001", "3600", "0.0001", "3601"},
        {"queue_timeout", "0.001", "86400", "0", "86401"},
        {"idle_timeout", "0.001", "3600", "0", "1e9"},
        {"stream_timeout", "0.001", "86400", "-1", "86401"},
        {"health_timeout", "0.001", "3600", "soon", "3601"},
        {"max_retries", "0", "10", "-1", "11"},
        {"max_concurrency", "0", "10000", "1.5", "10001"},
        {"max_body_bytes", "1024", "1073741824", "1023", "18446744073709551615"},
        {"max_event_bytes", "1024", "1073741824", "1023", "18446744073709551615"},
        {"read_ahead_bytes", "1024", "1073741824", "1023", "99999999999"},
    };
    static const struct {
        const char *name, *bad, *shown;
    } TEXTS[] = {
        {"scope", "GIGACHAT_API_ALL", "GIGACHAT_API_ALL"},
        {"scope", "gigachat_api_pers", "gigachat_api_pers"},
        {"base_url", "ftp://giga.chat", "ftp://giga.chat"},
        {"base_url", "http://giga.chat/v1", "http://giga.chat/v1"},
        {"base_url", "no url", "no url"},
        {"token_url", "ftp://giga.chat", "ftp://giga.chat"},
        {"proxy", "", ""},
        {"name", "", ""},
        {"model", "", ""},
        {"user_agent", "", ""},
        {"extra_headers", "a b: c", "a b"},
        {"extra_headers", "Authorization: c", "uthorization"},
        {"verify_tls", "perhaps", "perhaps"},
        {"shared_permits", "", ""},
        {"shared_permits", "a/relative/path", "a/relative/path"},
    };
    size_t at;
    for (at = 0; at < sizeof RANGES / sizeof RANGES[0]; at++) {
        accepted_by_name(RANGES[at].name, RANGES[at].least);
        accepted_by_name(RANGES[at].name, RANGES[at].most);
        refused_by_name(RANGES[at].name, RANGES[at].below, "", __LINE__);
        refused_by_name(RANGES[at].name, RANGES[at].above, "", __LINE__);
    }
    for (at = 0; at < sizeof TEXTS / sizeof TEXTS[0]; at++) {
        refused_by_name(TEXTS[at].name, TEXTS[at].bad, TEXTS[at].shown, __LINE__);
    }
}

static void names_are_understood_or_the_right_one_is_told(void) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_config_from_env(&config, NULL));
    CHECK_OK(gigachat_config_set(config, "verify_ssl_certs", GIGACHAT_ZT, "true", GIGACHAT_ZT));
    CHECK_STATUS(gigachat_config_set(config, "timeot", GIGACHAT_ZT, "1", 1),
                 GIGACHAT_ERROR_CONFIGURATION);
    CHECK_STATUS(gigachat_provider_new(config, &provider, &error), GIGACHAT_ERROR_CONFIGURATION);
    CHECK(strstr(gigachat_error_message(error, NULL), "did you mean timeout?") != NULL);
    gigachat_error_free(error);
    gigachat_config_free(config);
}

static void the_first_refusal_is_kept(void) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;
    CHECK_OK(gigachat_config_from_env(&config, NULL));
    CHECK_STATUS(gigachat_config_set_timeout_ms(config, 0), GIGACHAT_ERROR_CONFIGURATION);
    CHECK_STATUS(gigachat_config_set_max_retries(config, 11), GIGACHAT_ERROR_CONFIGURATION);
    CHECK_STATUS(gigachat_config_set_scope(config, NULL, 3), GIGACHAT_ERROR_NULL_ARGUMENT);
    CHECK_OK(gigachat_config_set_timeout_ms(config, 1000));
    status = gigachat_provider_new(config, &provider, &error);
    check_named(status, GIGACHAT_ERROR_CONFIGURATION, error, "timeout", "0", __LINE__);
    gigachat_config_free(config);
}

static void secrets_are_not_repeated_in_the_refusal(void) {
    static const char *const NAMES[] = {"authorization_key", "access_token", "proxy"};
    size_t at;
    for (at = 0; at < sizeof NAMES / sizeof NAMES[0]; at++) {
        gigachat_config *config = NULL;
        gigachat_provider *provider = NULL;
        gigachat_error *error = NULL;
        CHECK_OK(gigachat_config_from_env(&config, NULL));
        CHECK_STATUS(gigachat_config_set(config, NAMES[at], GIGACHAT_ZT, "top secret\n", GIGACHAT_ZT),
                     GIGACHAT_ERROR_CONFIGURATION);
        CHECK_STATUS(gigachat_provider_new(config, &provider, &error),
                     GIGACHAT_ERROR_CONFIGURATION);
        CHECK(strstr(gigachat_error_message(error, NULL), NAMES[at]) != NULL);
        CHECK(strstr(gigachat_error_message(error, NULL), "top secret") == NULL);
        gigachat_error_free(error);
        gigachat_config_free(config);
    }
}

/* Parameters of a call: the call tells of what was refused. */
static void parameters(gigachat_provider *provider) {
    static const struct {
        const char *name, *bad;
    } TABLE[] = {
        {"temperature", "-0.1"},     {"temperature", "2.5"},   {"temperature", "nan"},
        {"top_p", "-1"},             {"top_p", "1.5"},         {"repetition_penalty", "0"},
        {"repetition_penalty", "-1"}, {"max_tokens", "0"},      {"max_tokens", "4294967295"},
        {"stop", ""},                {"timeout", "0"},         {"timeout", "1e12"},
        {"queue_timeout", "0"},      {"idle_timeout", "3601"}, {"stream_timeout", "86401"},
        {"deadline", "0"},           {"session_id", ""},       {"extra_headers", "Host: x"},
    };
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        gigachat_params *params = NULL;
        gigachat_request *request = NULL;
        gigachat_response *response = NULL;
        gigachat_error *error = NULL;
        gigachat_status status;
        CHECK_OK(gigachat_params_new(&params, NULL));
        CHECK_STATUS(gigachat_params_set(params, TABLE[at].name, GIGACHAT_ZT, TABLE[at].bad,
                                         GIGACHAT_ZT),
                     GIGACHAT_ERROR_INVALID_REQUEST);
        status = gigachat_generate(provider, "x", 1, params, NULL, &response, &error);
        check_named(status, GIGACHAT_ERROR_INVALID_REQUEST, error, TABLE[at].name, "", __LINE__);
        CHECK_OK(gigachat_request_new("chat", GIGACHAT_ZT, &request, NULL));
        CHECK_STATUS(gigachat_request_set_params(request, params),
                     GIGACHAT_ERROR_INVALID_REQUEST);
        gigachat_request_free(request);
        gigachat_params_free(params);
    }
}

static void stop_sequences_are_at_most_64_of_at_most_1000_characters(void) {
    char longest[1002];
    gigachat_params *params = NULL;
    int count;
    memset(longest, 'x', sizeof longest);
    CHECK_OK(gigachat_params_new(&params, NULL));
    CHECK_OK(gigachat_params_set(params, "stop", GIGACHAT_ZT, longest, 1000));
    CHECK_STATUS(gigachat_params_set(params, "stop", GIGACHAT_ZT, longest, 1001), GIGACHAT_ERROR_INVALID_REQUEST);
    for (count = 1; count < 64; count++) {
        CHECK_OK(gigachat_params_set(params, "stop", GIGACHAT_ZT, "x", 1));
    }
    CHECK_STATUS(gigachat_params_set(params, "stop", GIGACHAT_ZT, "x", 1), GIGACHAT_ERROR_INVALID_REQUEST);
    gigachat_params_free(params);
}

static void settings_of_a_router(void) {
    static const struct {
        const char *name, *bad;
    } TABLE[] = {
        {"strategy", "best"},  {"name", ""},           {"deadline", "0"},
        {"cooldown", "0.001"}, {"ramp", "3601"},       {"failures_to_cool", "0"},
        {"max_cooldown_wait", "-1"}, {"member_retries", "often"},
    };
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        gigachat_router_options *options = NULL;
        gigachat_provider *router = NULL;
        gigachat_error *error = NULL;
        gigachat_status status;
        CHECK_OK(gigachat_router_options_new(&options, NULL));
        gigachat_router_options_set(options, TABLE[at].name, GIGACHAT_ZT, TABLE[at].bad,
                                    GIGACHAT_ZT);
        status = gigachat_router_new(options, &router, &error);
        check_named(status, GIGACHAT_ERROR_CONFIGURATION, error, TABLE[at].name, "", __LINE__);
        gigachat_router_options_free(options);
    }
}

static void bad_requests_name_what_is_wrong(gigachat_provider *provider) {
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
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    size_t at;
    for (at = 0; at < sizeof TABLE / sizeof TABLE[0]; at++) {
        const char *json = TABLE[at].json;
        const char *text;
        CHECK_OK(gigachat_request_new("chat", GIGACHAT_ZT, &request, NULL));
        CHECK_STATUS(gigachat_request_set_json(request, json, GIGACHAT_ZT),
                     GIGACHAT_ERROR_INVALID_REQUEST);
        CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error),
                     GIGACHAT_ERROR_INVALID_REQUEST);
        CHECK(response == NULL);
        text = gigachat_error_message(error, NULL);
        check_that(text != NULL && strcasestr(text, TABLE[at].named) != NULL,
                   text == NULL ? "no text" : text, __FILE__, __LINE__);
        gigachat_error_free(error);
        gigachat_request_free(request);
    }
    CHECK_OK(gigachat_request_new("chat", GIGACHAT_ZT, &request, NULL));
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_field(request, "temperature", GIGACHAT_ZT, "1", 1),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_field(request, "x", 1, "{", 1),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_set_header(request, "Host", 4, "x", 1),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_function(request, "[]", 2),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_message_json(request, "7", 1),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK_STATUS(gigachat_request_add_function_result(request, "f", 1, "no json", 7),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    gigachat_request_free(request);
}

int main(void) {
    gigachat_provider *provider;
    int before;
    begin();
    emulator_reset();
    provider = open_provider();
    before = emulator_counter("chat_attempts");
    options_of_a_configuration();
    names_are_understood_or_the_right_one_is_told();
    the_first_refusal_is_kept();
    secrets_are_not_repeated_in_the_refusal();
    parameters(provider);
    stop_sequences_are_at_most_64_of_at_most_1000_characters();
    settings_of_a_router();
    bad_requests_name_what_is_wrong(provider);
    CHECK(emulator_counter("chat_attempts") == before);
    gigachat_provider_free(provider);
    return finish();
}
