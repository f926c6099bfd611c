/*
 * What a program can learn from a failure. Three things that must fail, each in its own way: a
 * value out of range, an unknown model, and an authorization key that nobody has.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#include <gigachat.h>
#include <inttypes.h>
#include <stdio.h>

/* Prints what is known of a failure and what to do about it; frees it. */
static void explain(gigachat_status status, gigachat_error **failure) {
    const gigachat_error *error = *failure;

    printf("%s\n", gigachat_status_name(status));
    printf("  what:       %s\n", gigachat_error_message(error, NULL));
    printf("  where:      %s, after %" PRIu32 " requests\n", gigachat_error_phase(error, NULL),
           gigachat_error_attempts(error));
    if (gigachat_error_http_status(error) != 0) {
        printf("  HTTP:       %" PRId32 "\n", gigachat_error_http_status(error));
    }
    if (gigachat_error_request_id(error, NULL) != NULL) {
        printf("  request id: %s\n", gigachat_error_request_id(error, NULL));
    }
    switch (status) {
    case GIGACHAT_ERROR_AUTHENTICATION:
        printf("  to do:      check GIGACHAT_CREDENTIALS\n");
        break;
    case GIGACHAT_ERROR_RATE_LIMIT:
        printf("  to do:      wait %" PRId64 " ms\n", gigachat_error_retry_after_ms(error));
        break;
    default:
        printf("  to do:      %s\n", gigachat_error_retryable(error) ? "try again" : "change the request");
        break;
    }
    gigachat_error_free(*failure);
    *failure = NULL;
}

/* Asks with a temperature that no model takes: nothing is sent. A setter keeps what it refused, what uses
   the parameters tells of it. */
static gigachat_status ask_too_hotly(const gigachat_config *config, gigachat_error **error) {
    gigachat_provider *provider = NULL;
    gigachat_params *params = NULL;
    gigachat_response *response = NULL;

    gigachat_status status = gigachat_provider_new(config, &provider, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_params_new(&params, error);
    }
    if (status == GIGACHAT_OK) {
        gigachat_params_set_temperature(params, 3.0);
        status = gigachat_generate(provider, "Hello", GIGACHAT_ZT, params, NULL, &response, error);
    }
    gigachat_response_free(response);
    gigachat_params_free(params);
    gigachat_provider_free(provider);
    return status;
}

/* Asks an unknown model. */
static gigachat_status ask_nobody(const gigachat_config *config, gigachat_error **error) {
    static const char json[] =
        "{\"model\": \"GigaChat-0-Imaginary\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}";
    gigachat_provider *provider = NULL;
    gigachat_request *request = NULL;
    gigachat_response *response = NULL;

    gigachat_status status = gigachat_provider_new(config, &provider, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_request_new("chat", GIGACHAT_ZT, &request, error);
    }
    if (status == GIGACHAT_OK) {
        gigachat_request_set_json(request, json, GIGACHAT_ZT);
        status = gigachat_perform(provider, request, NULL, &response, error);
    }
    gigachat_response_free(response);
    gigachat_request_free(request);
    gigachat_provider_free(provider);
    return status;
}

/* Checks whether the service takes a key that is well-formed but wrong. */
static gigachat_status show_a_wrong_key(gigachat_config *config, gigachat_error **error) {
    gigachat_provider *provider = NULL;

    gigachat_status status;

    gigachat_config_set_authorization_key(
        config, "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOndyb25n", GIGACHAT_ZT);
    status = gigachat_provider_new(config, &provider, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_health_check(provider, -1, NULL, NULL, error);
    }
    gigachat_provider_free(provider);
    return status;
}

int main(void) {
    gigachat_config *config = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = gigachat_config_from_env(&config, &error);
    if (status == GIGACHAT_OK) {
        explain(ask_too_hotly(config, &error), &error);
        explain(ask_nobody(config, &error), &error);
        explain(show_a_wrong_key(config, &error), &error);
    } else {
        explain(status, &error);
    }

    gigachat_config_free(config);
    gigachat_shutdown(5000, NULL);
    return status == GIGACHAT_OK ? 0 : 1;
}
