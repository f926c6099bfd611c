/*
 * The environment: a set-user-id program does not follow what its user put there for the library.
 *
 * With the argument `trusts` or `distrusts` it is told which of the two SSL_CERT_FILE must do, the
 * emulator's root being there and nowhere else.
 */
#include "../c/fixture.h"

#include <sys/auxv.h>

static void a_root_of_the_environment_is_trusted(int wanted) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;
    CHECK((getauxval(AT_SECURE) != 0) == !wanted);
    CHECK_OK(gigachat_config_from_env(&config, NULL));
    CHECK_OK(gigachat_config_set_max_retries(config, 0));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    status = gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error);
    CHECK_STATUS(status, wanted ? GIGACHAT_OK : GIGACHAT_ERROR_TLS);
    gigachat_error_free(error);
    gigachat_response_free(response);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
}

int main(int count, char **arguments) {
    begin();
    a_root_of_the_environment_is_trusted(count > 1 && strcmp(arguments[1], "trusts") == 0);
    return finish();
}
