/*
 * Signals stay the host's: their dispositions are not changed, the library's threads take none,
 * SIGTERM and SIGINT end the program as ever, a broken connection raises no SIGPIPE.
 */
#include "../c/fixture.h"

#include <dirent.h>

static const int SIGNALS[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1,
                              SIGUSR2, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define SIGNAL_COUNT (sizeof SIGNALS / sizeof SIGNALS[0])

static gigachat_provider *use_the_library(void) {
    gigachat_provider *provider = open_provider();
    CHECK(answers(provider, "x"));
    return provider;
}

static void dispositions_are_not_changed(void) {
    struct sigaction before[SIGNAL_COUNT], after;
    sigset_t mask_before, mask_after;
    gigachat_provider *provider;
    size_t at;
    pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
    for (at = 0; at < SIGNAL_COUNT; at++) {
        sigaction(SIGNALS[at], NULL, &before[at]);
    }
    provider = use_the_library();
    for (at = 0; at < SIGNAL_COUNT; at++) {
        sigaction(SIGNALS[at], NULL, &after);
        CHECK(before[at].sa_handler == after.sa_handler);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (at = 0; at < SIGNAL_COUNT; at++) {
        CHECK(sigismember(&mask_before, SIGNALS[at]) == sigismember(&mask_after, SIGNALS[at]));
    }
    gigachat_provider_free(provider);
}

static void nothing(void *data, gigachat_call *call, gigachat_status status) {
    (void)call;
    (void)status;
    count_up(data);
}

/* Looks up the line `SigBlk:` of every thread of the library. */
static void the_librarys_threads_block_all_signals(void) {
    static Count called = COUNT_OF_NOTHING;
    gigachat_provider *provider = use_the_library();
    gigachat_call *call = NULL;
    struct dirent *entry;
    DIR *tasks;
    int found = 0;
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, nothing, &called, NULL, NULL));
    CHECK(count_reaches(&called, 1));
    tasks = opendir("/proc/self/task");
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char path[300], line[256];
        unsigned long long blocked = 0;
        int ours = 0;
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        file = fopen(path, "r");
        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
            ours |= strncmp(line, "Name:\tgigachat", 14) == 0;
            if (strncmp(line, "SigBlk:", 7) == 0) {
                blocked = strtoull(line + 7, NULL, 16);
            }
        }
        if (file != NULL) {
            fclose(file);
        }
        if (ours) {
            size_t at;
            found += 1;
            for (at = 0; at < SIGNAL_COUNT; at++) {
                CHECK((blocked >> (SIGNALS[at] - 1) & 1) == 1);
            }
        }
    }
    closedir(tasks);
    CHECK(found >= 2);
    gigachat_call_free(call);
    gigachat_provider_free(provider);
}

static void a_broken_connection_raises_no_signal(void) {
    gigachat_config *config = open_config();
    gigachat_provider *provider = NULL;
    int at;
    CHECK_OK(gigachat_config_set_max_retries(config, 0, NULL));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    gigachat_config_free(config);
    for (at = 0; at < 5; at++) {
        gigachat_request *request =
            open_request("x", "{\"type\": \"cut_before_answer\", \"reset\": true}");
        gigachat_response *response = NULL;
        gigachat_chat(provider, request, NULL, &response, NULL);
        gigachat_response_free(response);
        gigachat_request_free(request);
        CHECK(answers(provider, "alive"));
    }
    gigachat_provider_free(provider);
}

static void a_signal_ends_the_program_as_ever(int number) {
    int ready[2], status = 0;
    char byte = 0;
    pid_t child;
    CHECK(pipe(ready) == 0);
    child = fork();
    if (child == 0) {
        gigachat_provider *provider = open_provider();
        gigachat_response *response = NULL;
        gigachat_request *request =
            open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 600000}");
        alarm(HANG_SECONDS / 2);
        if (answers(provider, "x") && write(ready[1], "x", 1) == 1) {
            gigachat_chat(provider, request, NULL, &response, NULL);
        }
        _exit(3);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK(kill(child, number) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == number);
    close(ready[0]);
    close(ready[1]);
}

static volatile sig_atomic_t handled;
static pthread_t handled_by;

static void note_signal(int number) {
    (void)number;
    handled_by = pthread_self();
    handled += 1;
}

/* The host's handler runs on the host's thread, also while that one waits in the library. */
static void *send_signals(void *data) {
    int at;
    emulator_wait("in_flight", 1, 1);
    for (at = 0; at < 20; at++) {
        kill(getpid(), SIGUSR1);
    }
    gigachat_cancel_now(data, NULL);
    return NULL;
}

static void a_handler_runs_while_the_library_waits(void) {
    gigachat_provider *provider = use_the_library();
    gigachat_request *request =
        open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_response *response = NULL;
    gigachat_cancel *cancel = NULL;
    struct sigaction action;
    sigset_t usr1;
    pthread_t thread;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_signal;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK_OK(gigachat_cancel_new(&cancel, NULL));
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    thread = run_thread(send_signals, cancel);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    CHECK_STATUS(gigachat_chat(provider, request, cancel, &response, NULL),
                 GIGACHAT_ERROR_CANCELLED);
    pthread_join(thread, NULL);
    CHECK(handled >= 1);
    CHECK(pthread_equal(handled_by, pthread_self()));
    gigachat_cancel_free(cancel);
    gigachat_request_free(request);
    gigachat_provider_free(provider);
}

int main(void) {
    begin();
    emulator_reset();
        a_signal_ends_the_program_as_ever(SIGTERM);
    a_signal_ends_the_program_as_ever(SIGINT);
        dispositions_are_not_changed();
    the_librarys_threads_block_all_signals();
        a_broken_connection_raises_no_signal();
    a_handler_runs_while_the_library_waits();
    return finish();
}
