/*
 * A program that stops the library's I/O thread for good: by a signal handler that does not return,
 * by a thread hook, by a fork that no hook saw. Every call that waits returns by the clock of the
 * call itself, at most a second later, with a status that says where it was and why.
 */
#define _GNU_SOURCE
#include "../c/fixture.h"

#include <dirent.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The limits of the calls; what has to be under way before the thread is stopped has a longer one,
 * for a busy machine, which may take its time beside the promised second, too. */
#define LIMIT_MS 700
#define LONG_LIMIT_MS 5000
#define PROMISED 2.0

static sem_t go_on;
static Count stopped = COUNT_OF_NOTHING;

static void stop_this_thread(int number) {
    int before = errno;
    (void)number;
    count_up(&stopped);
    while (sem_wait(&go_on) != 0) {
    }
    errno = before;
}

/* Sends SIGPROF, which is the host's, to the threads of this name; returns how many there are. */
static int stop_the_threads(const char *name) {
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    int found = 0;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300], line[64] = "";
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file != NULL && fgets(line, sizeof line, file) != NULL) {
            line[strcspn(line, "\n")] = 0;
            if (strcmp(line, name) == 0) {
                found += 1;
                CHECK(syscall(SYS_tgkill, getpid(), atoi(entry->d_name), SIGPROF) == 0);
            }
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    closedir(tasks);
    return found;
}

static gigachat_provider *open_hurried(uint64_t limit) {
    gigachat_config *config = open_config();
    gigachat_provider *provider = NULL;
    char seconds[32];
    CHECK_OK(gigachat_config_set_timeout_ms(config, limit));
    snprintf(seconds, sizeof seconds, "%u.%03u", (unsigned)limit / 1000, (unsigned)limit % 1000);
    CHECK_OK(gigachat_config_set(config, "health_timeout", GIGACHAT_ZT, seconds, GIGACHAT_ZT));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    gigachat_config_free(config);
    return provider;
}

/* What a call says that was begun not later than then and ended by its waiter's clock. Frees the
 * error. */
static void says_why(gigachat_status status, gigachat_error *error, const char *phase,
                     double begun, double limit) {
    double took = seconds_now() - begun;
    CHECK_STATUS(status, GIGACHAT_ERROR_TIMEOUT);
    CHECK(error != NULL && strcmp(gigachat_error_phase(error, NULL), phase) == 0);
    CHECK(error != NULL && strstr(gigachat_error_message(error, NULL), "sign of life") != NULL);
    CHECK(error != NULL && strstr(gigachat_error_message(error, NULL), "loader's lock") != NULL);
    CHECK(took < limit + PROMISED);
    printf("ended in the phase %s after %.2f s\n", phase, took);
    gigachat_error_free(error);
}

static void what_begins_later_returns(gigachat_provider *provider) {
    gigachat_response *response = NULL;
    gigachat_stream *stream = NULL;
    gigachat_event *event = NULL;
    gigachat_error *error = NULL;
    gigachat_call *call = NULL;
    double begun = seconds_now();
    gigachat_status status = gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error);
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    begun = seconds_now();
    status = gigachat_health_check(provider, -1, NULL, NULL, &error);
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    begun = seconds_now();
    status = ask_for(provider, "models", NULL, &response, &error);
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    begun = seconds_now();
    CHECK_OK(gigachat_generate_stream(provider, "x", 1, NULL, &stream, NULL));
    status = gigachat_stream_next(stream, -1, &event, &error);
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    gigachat_stream_free(stream);
    begun = seconds_now();
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_STATUS(gigachat_call_wait(call, 10, NULL), GIGACHAT_NOT_YET);
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    status = gigachat_call_take(call, &response, &error);
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    gigachat_call_free(call);
}

/* A program that looks now and then, and never waits. */
static void who_only_looks_is_told(gigachat_provider *provider) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_call *call = NULL;
    gigachat_status status;
    double begun = seconds_now();
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    while ((status = gigachat_call_take(call, &response, &error)) == GIGACHAT_NOT_YET) {
        usleep(10000);
    }
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    gigachat_call_free(call);
}

static void a_queue_gives_out_what_will_not_end_by_itself(gigachat_provider *provider,
                                                          gigachat_call *begun_before,
                                                          gigachat_stream *read_before,
                                                          double since) {
    gigachat_response *response = NULL;
    gigachat_event *event = NULL;
    gigachat_error *error = NULL;
    gigachat_queue *queue = NULL;
    gigachat_call *call = NULL;
    gigachat_status status;
    uint64_t tag = 0, seen = 0;
    size_t count = 0;
    double begun = seconds_now();
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_call_attach(begun_before, queue, 1, NULL));
    CHECK_OK(gigachat_stream_attach(read_before, queue, 2, NULL));
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_attach(call, queue, 4, NULL));
    CHECK_OK(gigachat_queue_take(queue, -1, &tag, 1, &count, NULL));
    CHECK(count == 1 && tag == 4);
    status = gigachat_call_take(call, &response, &error);
    says_why(status, error, "start", begun, LIMIT_MS / 1000.0);
    for (seen = 4; seen != 7; seen |= tag) {
        if (gigachat_queue_take(queue, -1, &tag, 1, &count, NULL) != GIGACHAT_OK) {
            break;
        }
    }
    CHECK(seen == 7);
    status = gigachat_call_take(begun_before, &response, &error);
    says_why(status, error, "answer", since, LONG_LIMIT_MS / 1000.0);
    status = gigachat_stream_next(read_before, 0, &event, &error);
    CHECK(gigachat_error_partial_text(error, NULL) != NULL);
    says_why(status, error, "idle", since, LONG_LIMIT_MS / 1000.0);
    gigachat_call_free(call);
    gigachat_queue_free(queue);
}

static void a_handler_that_does_not_return_holds_up_nobody(void) {
    gigachat_provider *provider = open_hurried(LIMIT_MS), *patient = open_hurried(LONG_LIMIT_MS);
    gigachat_request *request = open_request("x", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_stream *stream = open_endless(patient);
    gigachat_event *event = NULL;
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    int threads, at;
    double begun = seconds_now();
    CHECK_OK(gigachat_stream_next(stream, -1, &event, NULL));
    gigachat_event_free(event);
    CHECK_OK(gigachat_stream_next(stream, 1000, &event, NULL));
    gigachat_event_free(event);
    CHECK_OK(gigachat_start(patient, request, &call, NULL));
    CHECK(emulator_wait("in_flight", 2, 2));
    begun = seconds_now();
    threads = stop_the_threads("gigachat-io");
    CHECK(threads > 0 && count_reaches(&stopped, threads));
    a_queue_gives_out_what_will_not_end_by_itself(provider, call, stream, begun);
    what_begins_later_returns(provider);
    who_only_looks_is_told(provider);
    begun = seconds_now();
    CHECK_STATUS(gigachat_shutdown(300, &error), GIGACHAT_ERROR_TIMEOUT);
    CHECK(seconds_now() - begun < 0.3 + PROMISED);
    gigachat_error_free(error);
    for (at = 0; at < threads; at++) {
        sem_post(&go_on);
    }
    gigachat_call_free(call);
    gigachat_stream_free(stream);
    gigachat_request_free(request);
    gigachat_provider_free(patient);
    gigachat_provider_free(provider);
    provider = open_provider();
    CHECK(answers(provider, "after the thread was let go"));
    gigachat_provider_free(provider);
    CHECK_OK(gigachat_shutdown(10000, NULL));
}

/* The hook lets the first thread go and keeps the others: helpers, and workers of several. */
static Count hooked = COUNT_OF_NOTHING;

static void keeps_all_but_the_first(void *data) {
    (void)data;
    count_up(&hooked);
    if (count_now(&hooked) > 1) {
        stop_this_thread(0);
    }
}

static void a_hook_that_keeps_the_other_threads_holds_up_nobody(size_t io_threads) {
    gigachat_response *response = NULL;
    gigachat_provider *provider = open_hurried(LIMIT_MS);
    gigachat_error *error = NULL;
    gigachat_status status;
    double begun = seconds_now();
    int at;
    hooked.value = stopped.value = 0;
    CHECK_OK(gigachat_set_io_threads(io_threads, NULL));
    CHECK_OK(gigachat_set_thread_hooks(keeps_all_but_the_first, NULL, NULL, NULL));
    status = gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error);
    CHECK_STATUS(status, GIGACHAT_ERROR_TIMEOUT);
    CHECK(error != NULL && strcmp(gigachat_error_phase(error, NULL), "start") == 0);
    CHECK(error != NULL && strstr(gigachat_error_message(error, NULL), "hook") != NULL);
    CHECK(seconds_now() - begun < LIMIT_MS / 1000.0 + PROMISED);
    gigachat_error_free(error);
    for (at = 0; at < 64; at++) {
        sem_post(&go_on);
    }
    CHECK_OK(gigachat_shutdown(20000, NULL));
    CHECK_OK(gigachat_set_thread_hooks(NULL, NULL, NULL, NULL));
    CHECK_OK(gigachat_set_io_threads(1, NULL));
    while (sem_trywait(&go_on) == 0) {
    }
    gigachat_provider_free(provider);
    provider = open_provider();
    CHECK(answers(provider, "after the hook"));
    gigachat_provider_free(provider);
    CHECK_OK(gigachat_shutdown(10000, NULL));
}

/* No atfork handler has run, and none of the parent's threads exists in it. */
static void a_child_of_a_raw_fork_is_answered(void) {
    gigachat_provider *provider = open_provider();
    int status = -1;
    long child;
    CHECK(answers(provider, "in the parent"));
    child = syscall(SYS_fork);
    if (child == 0) {
        alarm(60);
        _exit(answers(provider, "in the child") ? 0 : 1);
    }
    CHECK(child > 0 && waitpid((pid_t)child, &status, 0) == child && status == 0);
    CHECK(answers(provider, "in the parent again"));
    gigachat_provider_free(provider);
}

int main(void) {
    struct sigaction action;
    begin();
    emulator_reset();
    sem_init(&go_on, 0, 0);
    memset(&action, 0, sizeof action);
    action.sa_handler = stop_this_thread;
    action.sa_flags = SA_RESTART;
    sigaction(SIGPROF, &action, NULL);
    a_handler_that_does_not_return_holds_up_nobody();
    a_hook_that_keeps_the_other_threads_holds_up_nobody(1);
    a_hook_that_keeps_the_other_threads_holds_up_nobody(3);
    a_child_of_a_raw_fork_is_answered();
    return finish();
}
