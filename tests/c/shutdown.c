/*
 * gigachat_shutdown: with calls running, twice, from two threads, before any use; use after it.
 */
#include "fixture.h"

#include <dirent.h>

#define CALLS 8

static Count called = COUNT_OF_NOTHING;
static Count destroyed = COUNT_OF_NOTHING;
static Count cancelled = COUNT_OF_NOTHING;

static void note_call(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    if (status == GIGACHAT_ERROR_CANCELLED) {
        count_up(&cancelled);
    }
    count_up(&called);
}

static void note_destroy(void *data) {
    (void)data;
    count_up(&destroyed);
}

static void shutdown_without_use_does_nothing(void) {
    CHECK_OK(gigachat_shutdown(0, NULL));
    CHECK_OK(gigachat_shutdown(UINT64_MAX, NULL));
}

static void running_calls_end_as_cancelled_and_their_callbacks_run(gigachat_provider *provider) {
    gigachat_call *calls[CALLS];
    gigachat_queue *queue = NULL;
    gigachat_stream *stream = open_endless(provider);
    gigachat_response *response = NULL;
    uint64_t tag = 0;
    size_t count = 0;
    int at, texts;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    for (at = 0; at < CALLS; at++) {
        calls[at] = start_endless(provider);
        if (at == 0) {
            CHECK_OK(gigachat_call_attach(calls[at], queue, 5, NULL));
        } else {
            CHECK_OK(gigachat_call_on_done(calls[at], note_call, NULL, note_destroy, NULL));
        }
    }
    CHECK(emulator_wait("in_flight", CALLS + 1, ANY));
    CHECK_OK(gigachat_shutdown(60000, NULL));
    /* All of it has happened when the shutdown returns. */
    CHECK(count_now(&called) == CALLS - 1);
    CHECK(count_now(&cancelled) == CALLS - 1);
    CHECK(count_now(&destroyed) == CALLS - 1);
    CHECK_OK(gigachat_queue_take(queue, 0, &tag, 1, &count, NULL));
    CHECK(tag == 5);
    for (at = 0; at < CALLS; at++) {
        CHECK_OK(gigachat_call_wait(calls[at], 0, NULL));
        CHECK_STATUS(gigachat_call_take(calls[at], &response, NULL), GIGACHAT_ERROR_CANCELLED);
        gigachat_call_free(calls[at]);
    }
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_ERROR_CANCELLED);
    gigachat_stream_free(stream);
    gigachat_queue_free(queue);
    CHECK(emulator_wait("in_flight", 0, 0));
    /* The one that asks is counted, too. */
    CHECK(emulator_wait("connections_open", 1, 1));
}

static void after_it_the_library_may_be_used_again(gigachat_provider *provider) {
    int round;
    for (round = 0; round < rounds(20); round++) {
        CHECK(answers(provider, "again"));
        CHECK_OK(gigachat_shutdown(60000, NULL));
        CHECK_OK(gigachat_shutdown(60000, NULL));
    }
}

static void *shut_down(void *data) {
    (void)data;
    return (void *)(intptr_t)gigachat_shutdown(60000, NULL);
}

static void two_threads_may_shut_down_at_once(gigachat_provider *provider) {
    int round;
    for (round = 0; round < rounds(10); round++) {
        gigachat_call *call = start_endless(provider);
        pthread_t first = run_thread(shut_down, NULL);
        pthread_t second = run_thread(shut_down, NULL);
        void *status = NULL;
        pthread_join(first, &status);
        CHECK_OK((gigachat_status)(intptr_t)status);
        pthread_join(second, &status);
        CHECK_OK((gigachat_status)(intptr_t)status);
        CHECK_OK(gigachat_call_wait(call, 0, NULL));
        gigachat_call_free(call);
    }
}

static int stop_calling;

/* Calls for as long as the others shut down. Every call ends, in one of three ways. */
static void *call_all_the_time(void *data) {
    gigachat_provider *provider = data;
    intptr_t answered = 0;
    while (!__atomic_load_n(&stop_calling, __ATOMIC_SEQ_CST)) {
        gigachat_response *response = NULL;
        gigachat_status status =
            gigachat_generate(provider, "repeat: x", GIGACHAT_ZT, NULL, NULL, &response, NULL);
        answered += status == GIGACHAT_OK;
        gigachat_response_free(response);
        if (status != GIGACHAT_OK && status != GIGACHAT_ERROR_CANCELLED) {
            CHECK_STATUS(status, GIGACHAT_ERROR_SHUTDOWN);
        }
    }
    return (void *)answered;
}

static void calls_that_begin_meanwhile_are_told(gigachat_provider *provider) {
    pthread_t callers[4];
    int at;
    for (at = 0; at < 4; at++) {
        callers[at] = run_thread(call_all_the_time, provider);
    }
    for (at = 0; at < rounds(20); at++) {
        CHECK_OK(gigachat_shutdown(60000, NULL));
    }
    __atomic_store_n(&stop_calling, 1, __ATOMIC_SEQ_CST);
    for (at = 0; at < 4; at++) {
        pthread_join(callers[at], NULL);
    }
    CHECK(answers(provider, "at last"));
}

static int entries_of(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    while (folder != NULL && readdir(folder) != NULL) {
        count += 1;
    }
    closedir(folder);
    return count;
}

static int threads_of_the_library(void) {
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    int found = 0;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300], line[64] = "";
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file != NULL) {
            found += fgets(line, sizeof line, file) != NULL && strncmp(line, "gigachat", 8) == 0;
            fclose(file);
        }
    }
    closedir(tasks);
    return found;
}

static Count entered = COUNT_OF_NOTHING;
static Count released = COUNT_OF_NOTHING;

static void block(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    (void)status;
    count_up(&entered);
    count_reaches(&released, 1);
}

static void a_shutdown_that_takes_too_long_says_so(gigachat_provider *provider) {
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    Count gone = COUNT_OF_NOTHING;
    CHECK_OK(gigachat_generate_start(provider, "repeat: x", GIGACHAT_ZT, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, block, &gone, note_destroy, NULL));
    CHECK(count_reaches(&entered, 1));
    CHECK_STATUS(gigachat_shutdown(50, &error), GIGACHAT_ERROR_TIMEOUT);
    CHECK(strstr(gigachat_error_message(error, NULL), "callbacks") != NULL);
    gigachat_error_free(error);
    /* The library can be used nevertheless. */
    CHECK(answers(provider, "still here"));
    count_up(&released);
    CHECK(count_reaches(&destroyed, CALLS));
    gigachat_call_free(call);
    /* The next one waits for what this one left, too. */
    CHECK_OK(gigachat_shutdown(20000, NULL));
    CHECK(threads_of_the_library() == 0);
}

static void what_late_shutdowns_leave_goes_by_itself(gigachat_provider *provider) {
    int at, descriptors;
    CHECK(answers(provider, "before"));
    CHECK_OK(gigachat_shutdown(20000, NULL));
    descriptors = entries_of("/proc/self/fd");
    for (at = 0; at < 20; at++) {
        gigachat_call *ended = NULL, *running = start_endless(provider);
        gigachat_status status;
        CHECK_OK(gigachat_generate_start(provider, "repeat: x", GIGACHAT_ZT, NULL, &ended, NULL));
        CHECK_OK(gigachat_call_on_done(ended, note_call, NULL, NULL, NULL));
        status = gigachat_shutdown(0, NULL);
        CHECK(status == GIGACHAT_OK || status == GIGACHAT_ERROR_TIMEOUT);
        gigachat_call_free(ended);
        gigachat_call_free(running);
    }
    for (at = 0; at < 3000; at++) {
        if (threads_of_the_library() == 0 && entries_of("/proc/self/fd") <= descriptors) {
            break;
        }
        usleep(10000);
    }
    CHECK(threads_of_the_library() == 0);
    CHECK(entries_of("/proc/self/fd") == descriptors);
    CHECK_OK(gigachat_shutdown(20000, NULL));
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    shutdown_without_use_does_nothing();
    provider = open_provider();
    running_calls_end_as_cancelled_and_their_callbacks_run(provider);
    after_it_the_library_may_be_used_again(provider);
    two_threads_may_shut_down_at_once(provider);
    calls_that_begin_meanwhile_are_told(provider);
    if (getenv("GIGACHAT_TEST_SLOWNESS") == NULL) {
        /* Leaks by design, so not for a leak checker. */
        a_shutdown_that_takes_too_long_says_so(provider);
        what_late_shutdowns_leave_goes_by_itself(provider);
    }
    gigachat_provider_free(provider);
    return finish();
}
