/* CPU per request with 64 in flight through the completion queue. Arguments: requests, prompt. */
#include "cpu.h"
#include <gigachat.h>
#include <poll.h>

enum { IN_FLIGHT = 64 };
static gigachat_call *calls[IN_FLIGHT];

static void start(gigachat_provider *provider, gigachat_queue *queue, uint64_t slot, const char *prompt) {
    if (gigachat_generate_start(provider, prompt, GIGACHAT_ZT, NULL, &calls[slot], NULL) != GIGACHAT_OK ||
        gigachat_call_attach(calls[slot], queue, slot, NULL) != GIGACHAT_OK)
        fail("a call cannot be started");
}

int main(int argc, char **argv) {
    long requests = argc > 2 ? atol(argv[1]) : 0, started = 0, ended = 0, warm = 640;
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_queue *queue = NULL;
    int64_t descriptor = -1;
    double begun = 0;

    gigachat_config_from_env(&config, NULL);
    gigachat_config_set_max_concurrency(config, 0);
    gigachat_provider_new(config, &provider, NULL);
    gigachat_queue_new(&queue, NULL);
    gigachat_queue_descriptor(queue, &descriptor, NULL);
    requests += warm;
    for (; started < IN_FLIGHT; started++) start(provider, queue, (uint64_t)started, argv[2]);
    while (ended < requests) {
        uint64_t tags[IN_FLIGHT];
        size_t count = 0, index;
        struct pollfd readable = {(int)descriptor, POLLIN, 0};
        poll(&readable, 1, -1);
        if (gigachat_queue_take(queue, 0, tags, IN_FLIGHT, &count, NULL) != GIGACHAT_OK) continue;
        for (index = 0; index < count; index++) {
            gigachat_response *response = NULL;
            if (gigachat_call_take(calls[tags[index]], &response, NULL) != GIGACHAT_OK) fail("a call failed");
            gigachat_response_free(response);
            gigachat_call_free(calls[tags[index]]);
            if (++ended == warm) begun = cpu_seconds();
            if (started < requests) {
                start(provider, queue, tags[index], argv[2]);
                started++;
            }
        }
    }
    report(begun, requests - warm);
    gigachat_queue_free(queue);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    return 0;
}
