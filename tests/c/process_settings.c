/*
 * Process settings: before the first use, not after it, again after a shutdown.
 */
#include "fixture.h"

static Count started = COUNT_OF_NOTHING;
static Count stopped = COUNT_OF_NOTHING;

static void thread_starts(void *data) {
    count_up(data);
}

static void thread_stops(void *data) {
    (void)data;
    count_up(&stopped);
}

static void check_refused(gigachat_status status, gigachat_error **error, const char *value,
                          const char *range) {
    const char *message = gigachat_error_message(*error, NULL);
    CHECK_STATUS(status, GIGACHAT_ERROR_CONFIGURATION);
    CHECK(message != NULL && strstr(message, value) != NULL && strstr(message, range) != NULL);
    gigachat_error_free(*error);
}

static void values_out_of_range_are_refused(void) {
    gigachat_error *error = NULL;
    check_refused(gigachat_set_io_threads(0, &error), &error, "io_threads: 0", "1 to 64");
    check_refused(gigachat_set_io_threads(65, &error), &error, "io_threads: 65", "1 to 64");
    check_refused(gigachat_set_io_threads(SIZE_MAX, &error), &error,
                  "io_threads: 18446744073709551615", "1 to 64");
    check_refused(gigachat_set_callback_stack_size(65535, &error), &error, "65535", "65536 to");
    check_refused(gigachat_set_callback_stack_size(((size_t)1 << 30) + 1, &error), &error,
                  "1073741825", "to 1073741824");
}

static void settings_that_come_too_late_are_refused(void) {
    gigachat_error *error = NULL;
    CHECK_STATUS(gigachat_set_io_threads(2, &error), GIGACHAT_ERROR_TOO_LATE);
    CHECK(gigachat_error_status(error) == GIGACHAT_ERROR_TOO_LATE);
    gigachat_error_free(error);
    CHECK_STATUS(gigachat_set_callback_stack_size(1 << 20, NULL), GIGACHAT_ERROR_TOO_LATE);
    CHECK_STATUS(gigachat_set_thread_hooks(NULL, NULL, NULL, NULL), GIGACHAT_ERROR_TOO_LATE);
}

static void count_call(void *data, gigachat_call *call, gigachat_status status) {
    (void)call;
    (void)status;
    count_up(data);
}

static void use_with_a_callback(gigachat_provider *provider) {
    Count called = COUNT_OF_NOTHING;
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_generate_start(provider, "repeat: x", GIGACHAT_ZT, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, count_call, &called, NULL, NULL));
    CHECK(count_reaches(&called, 1));
    gigachat_call_free(call);
}

int main(void) {
    gigachat_provider *provider;
    int threads;
    begin();
    emulator_reset();
    values_out_of_range_are_refused();
    CHECK_OK(gigachat_set_thread_hooks(thread_starts, thread_stops, &started, NULL));
    CHECK_OK(gigachat_set_io_threads(3, NULL));
    CHECK_OK(gigachat_set_callback_stack_size(65536, NULL));
    /* A provider alone is no use yet. */
    provider = open_provider();
    CHECK_OK(gigachat_set_io_threads(2, NULL));
    use_with_a_callback(provider);
    settings_that_come_too_late_are_refused();
    CHECK_OK(gigachat_shutdown(60000, NULL));
    /* Every thread that started has stopped: I/O, callbacks. */
    threads = count_now(&started);
    CHECK(threads >= 3);
    CHECK(count_now(&stopped) == threads);
    CHECK_OK(gigachat_set_io_threads(1, NULL));
    CHECK_OK(gigachat_set_thread_hooks(NULL, NULL, NULL, NULL));
    use_with_a_callback(provider);
    CHECK(count_now(&started) == threads);
    gigachat_provider_free(provider);
    return finish();
}
