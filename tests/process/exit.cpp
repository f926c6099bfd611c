/*
 * exit with everything in flight: calls, streams, callbacks that come all the time. It must end
 * with status 0, print nothing, and start no callback after the static objects are gone.
 *
 * Argument: who calls exit: main (by return), thread, callback.
 */
#include <gigachat.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <pthread.h>
#include <unistd.h>
#include <vector>

namespace {

gigachat_status must(gigachat_status status) {
    if (status != GIGACHAT_OK) {
        std::fprintf(stderr, "%s\n", gigachat_status_name(status));
        std::_Exit(70);
    }
    return status;
}

bool exit_in_callback = false;

void ask(gigachat_provider *provider);

/* What a program keeps in static objects: its destructor frees the handles, and then nobody may
 * touch it any more. */
struct Everything {
    gigachat_provider *provider = nullptr;
    gigachat_queue *queue = nullptr;
    std::vector<gigachat_stream *> streams;
    std::vector<gigachat_call *> calls;
    std::unique_ptr<std::atomic<int>> answered = std::make_unique<std::atomic<int>>(0);

    ~Everything() {
        for (gigachat_stream *stream : streams) gigachat_stream_free(stream);
        gigachat_provider_free(provider);
        for (gigachat_call *call : calls) gigachat_call_free(call);
        gigachat_queue_free(queue);
        answered.reset();
    }
} everything;

extern "C" void note_answer(void *, gigachat_call *call, gigachat_status) {
    if (!everything.answered) {
        std::fprintf(stderr, "a callback after the end\n");
        std::_Exit(71);
    }
    int before = (*everything.answered)++;
    gigachat_call_free(call);
    if (exit_in_callback && before == 10) std::exit(0);
    ask(everything.provider);
}

extern "C" void note_destroy(void *) {
    if (!everything.answered) {
        std::fprintf(stderr, "a destroy hook after the end\n");
        std::_Exit(71);
    }
}

void ask(gigachat_provider *provider) {
    gigachat_call *call = nullptr;
    if (gigachat_generate_start(provider, "x", 1, nullptr, &call, nullptr) == GIGACHAT_OK) {
        must(gigachat_call_on_done(call, note_answer, nullptr, note_destroy, nullptr));
    }
}

extern "C" void *exit_here(void *) { std::exit(0); }

}  // namespace

int main(int, char **arguments) {
    gigachat_config *config = nullptr;
    alarm(60);
    must(gigachat_config_from_env(&config, nullptr));
    must(gigachat_config_set_max_concurrency(config, 0));
    must(gigachat_provider_new(config, &everything.provider, nullptr));
    must(gigachat_queue_new(&everything.queue, nullptr));
    exit_in_callback = std::strcmp(arguments[1], "callback") == 0;
    for (int at = 0; at < 8; at++) {
        gigachat_stream *stream = nullptr;
        gigachat_call *call = nullptr;
        ask(everything.provider);
        must(gigachat_generate_start(everything.provider, "write 500 tokens", GIGACHAT_ZT, nullptr,
                                     &call, nullptr));
        must(gigachat_call_attach(call, everything.queue, 1, nullptr));
        everything.calls.push_back(call);
        must(gigachat_generate_stream(everything.provider, "count to 500", GIGACHAT_ZT, nullptr,
                                      &stream, nullptr));
        everything.streams.push_back(stream);
    }
    gigachat_config_free(config);
    /* Callbacks come one after another by then. */
    while (*everything.answered < 5) usleep(200);
    if (exit_in_callback) pause();
    if (std::strcmp(arguments[1], "thread") == 0) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, exit_here, nullptr) != 0) return 70;
        pause();
    }
    return 0;
}
