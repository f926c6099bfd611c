/*
 * Asks one question and prints the answer, in the blocking way.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment: `make demo` sets them for the
 * emulator; with your own authorization key the same program talks to the service.
 */
#include <gigachat.h>
#include <stdio.h>

int main(int argc, char **argv) {
    const char *prompt = argc > 1 ? argv[1] : "What is C?";
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = gigachat_config_from_env(&config, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_provider_new(config, &provider, &error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_generate(provider, prompt, GIGACHAT_ZT, NULL, NULL, &response, &error);
    }
    if (status == GIGACHAT_OK) {
        printf("%s\n", gigachat_response_text(response, NULL));
        printf("[%s, %lld tokens, finish reason %s]\n", gigachat_response_model(response, NULL),
               (long long)gigachat_response_total_tokens(response),
               gigachat_response_finish_reason(response, NULL));
    } else {
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }

    gigachat_error_free(error);
    gigachat_response_free(response);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    gigachat_shutdown(5000, NULL); /* for leak checkers; a program may just end */
    return status == GIGACHAT_OK ? 0 : 1;
}
