/* CPU per request of gigachat_generate, one request in flight. Arguments: requests, prompt. */
#include "cpu.h"
#include <gigachat.h>

int main(int argc, char **argv) {
    long requests = argc > 2 ? atol(argv[1]) : 0, number;
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    double begun = 0;

    gigachat_config_from_env(&config, NULL);
    gigachat_config_set_max_concurrency(config, 0);
    gigachat_provider_new(config, &provider, NULL);
    for (number = -100; number < requests; number++) {
        gigachat_response *response = NULL;
        if (number == 0) begun = cpu_seconds(); /* connected and warm */
        if (gigachat_generate(provider, argv[2], GIGACHAT_ZT, NULL, NULL, &response, NULL) != GIGACHAT_OK)
            fail("gigachat_generate failed");
        gigachat_response_free(response);
    }
    report(begun, requests);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    return 0;
}
