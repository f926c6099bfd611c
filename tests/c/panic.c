/*
 * A panic in the library (in an entry point, in a task, in a callback) is a status and a record of
 * the log that names its place, and the library goes on. Nothing is printed: the test that runs
 * this looks. Needs a library built with the feature test-hooks.
 */
#include "fixture.h"

gigachat_status gigachat__test_panic(uint32_t place, gigachat_error **error);

static Count logged = COUNT_OF_NOTHING;

static void note_panic(void *data, gigachat_log_level level, const char *target,
                       const char *message) {
    if (strcmp(target, "gigachat::panic") == 0) {
        CHECK(level == GIGACHAT_LOG_ERROR);
        CHECK(strstr(message, "provoked by a test") != NULL);
        CHECK(strstr(message, "test_hooks.rs:") != NULL);
        count_up(data);
    }
}

int main(void) {
    gigachat_provider *provider;
    int round;
    begin();
    emulator_reset();
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_ERROR, note_panic, &logged, NULL, NULL));
    provider = open_provider();
    for (round = 0; round < rounds(10); round++) {
        uint32_t place;
        for (place = 0; place < 2; place++) {
            gigachat_error *error = NULL;
            CHECK_STATUS(gigachat__test_panic(place, &error), GIGACHAT_ERROR_INTERNAL);
            CHECK(gigachat_error_message(error, NULL) != NULL &&
                  strstr(gigachat_error_message(error, NULL), "provoked") != NULL);
            CHECK(!gigachat_error_retryable(error));
            gigachat_error_free(error);
            CHECK_STATUS(gigachat__test_panic(place, NULL), GIGACHAT_ERROR_INTERNAL);
            CHECK(answers(provider, "after a panic"));
        }
        CHECK_OK(gigachat__test_panic(2, NULL));
        CHECK(answers(provider, "after a panic in a callback"));
        if (round % 2 == 1) {
            CHECK_OK(gigachat_shutdown(60000, NULL));
        }
    }
    CHECK(count_reaches(&logged, 5 * rounds(10)));
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL));
    gigachat_provider_free(provider);
    return finish();
}
