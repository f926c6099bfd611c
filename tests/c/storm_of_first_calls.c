/*
 * A hundred threads make a provider's first call at once: one token request (I1).
 */
#include "fixture.h"

#define THREADS 100

static pthread_barrier_t all_ready;

static void *call_first(void *data) {
    pthread_barrier_wait(&all_ready);
    return (void *)(intptr_t)answers(data, "first");
}

int main(void) {
    pthread_t threads[THREADS];
    gigachat_provider *provider;
    int answered = 0, at;
    begin();
    emulator_reset();
    provider = open_provider();
    pthread_barrier_init(&all_ready, NULL, THREADS);
    for (at = 0; at < THREADS; at++) {
        threads[at] = run_thread(call_first, provider);
    }
    for (at = 0; at < THREADS; at++) {
        void *good = NULL;
        pthread_join(threads[at], &good);
        answered += (int)(intptr_t)good;
    }
    pthread_barrier_destroy(&all_ready);
    CHECK(answered == THREADS);
    CHECK(emulator_counter("token_requests") == 1);
    CHECK(emulator_counter("chat_requests") == THREADS);
    gigachat_provider_free(provider);
    return finish();
}
