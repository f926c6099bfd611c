/*
 * A cancel from another thread while gigachat_stream_next waits: the reader returns, and the
 * service sees the stream go. Prints the 99th percentile of both; the bound is two seconds.
 */
#include "fixture.h"

#define ROUNDS 100
#define BOUND 2.0

static double returned_at;

static void *read_on(void *data) {
    gigachat_event *event = NULL;
    gigachat_status status;
    while ((status = gigachat_stream_next(data, -1, &event, NULL)) == GIGACHAT_OK) {
        gigachat_event_free(event);
    }
    returned_at = seconds_now();
    return (void *)(intptr_t)status;
}

static int by_size(const void *one, const void *other) {
    double left = *(const double *)one, right = *(const double *)other;
    return (left > right) - (left < right);
}

static double p99(double *times, int count) {
    qsort(times, (size_t)count, sizeof *times, by_size);
    return times[count * 99 / 100 < count ? count * 99 / 100 : count - 1];
}

int main(void) {
    static double reader[ROUNDS], service[ROUNDS];
    gigachat_provider *provider;
    int count = rounds(ROUNDS), at;
    begin();
    emulator_reset();
    provider = open_provider();
    for (at = 0; at < count; at++) {
        gigachat_stream *stream = open_endless(provider);
        pthread_t thread = run_thread(read_on, stream);
        double begun;
        void *status = NULL;
        CHECK(emulator_wait("open_streams", 1, 1));
        begun = seconds_now();
        CHECK_OK(gigachat_stream_cancel(stream, NULL));
        CHECK(emulator_wait("cancelled_streams", at + 1, at + 1));
        service[at] = seconds_now() - begun;
        pthread_join(thread, &status);
        reader[at] = returned_at - begun;
        CHECK_STATUS((gigachat_status)(intptr_t)status, GIGACHAT_ERROR_CANCELLED);
        gigachat_stream_free(stream);
    }
    printf("cancel of %d streams: the reader returns within %.2f ms, the service sees it within "
           "%.2f ms (p99)\n",
           count, p99(reader, count) * 1e3, p99(service, count) * 1e3);
    if (getenv("GIGACHAT_TEST_SLOWNESS") == NULL) {
        CHECK(p99(reader, count) < BOUND);
        CHECK(p99(service, count) < BOUND);
    }
    gigachat_provider_free(provider);
    return finish();
}
