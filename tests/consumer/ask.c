/*
 * A C program of somebody who installed the library: asks once, prints the answer. How it is
 * compiled and linked is what the folders beside it are about.
 */
#include <gigachat.h>
#include <stdio.h>

int main(void) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;

    if (gigachat_version_number() != GIGACHAT_VERSION_NUMBER) {
        fprintf(stderr, "header and library differ: the library is %s\n", gigachat_version());
        return 1;
    }
    status = gigachat_config_from_env(&config, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_provider_new(config, &provider, &error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_generate(provider, "repeat: hello from C", GIGACHAT_ZT, NULL, NULL, &response, &error);
    }
    puts(status == GIGACHAT_OK ? gigachat_response_text(response, NULL) : gigachat_error_message(error, NULL));

    gigachat_error_free(error);
    gigachat_response_free(response);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    return status == GIGACHAT_OK ? 0 : 1;
}
