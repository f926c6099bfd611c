/*
 * Signals stay the host's: their dispositions are not changed, the library's threads take none but
 * those of their own faults and a profiler's, SIGTERM and SIGINT end the program as ever, a broken
 * connection raises no SIGPIPE.
 */
#include "../c/fixture.h"

#include <dirent.h>
#include <sys/time.h>

static const int SIGNALS[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1,
                              SIGUSR2, SIGCHLD, SIGABRT, SIGVTALRM, SIGSEGV, SIGBUS, SIGILL,
                              SIGFPE, SIGTRAP, SIGSYS, SIGPROF};
#define SIGNAL_COUNT (sizeof SIGNALS / sizeof SIGNALS[0])
/* The last of them: what a thread gets for its own doing, and a profiler's clock. */
#define THREADS_OWN 7

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
static void the_librarys_threads_block_all_signals_but_their_own(void) {
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
                CHECK((blocked >> (SIGNALS[at] - 1) & 1) == (at < SIGNAL_COUNT - THREADS_OWN));
            }
        }
    }
    closedir(tasks);
    CHECK(found >= 2);
    gigachat_call_free(call);
    gigachat_provider_free(provider);
}

/* Runs `callback` on the library's thread. */
static void run_callback(void (*callback)(void *, gigachat_call *, gigachat_status), Count *ended) {
    gigachat_provider *provider = use_the_library();
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, callback, ended, NULL, NULL));
    CHECK(count_reaches(ended, 1));
    gigachat_call_free(call);
    gigachat_provider_free(provider);
}

static void faults(void *data, gigachat_call *call, gigachat_status status) {
    (void)call;
    (void)status;
    *(volatile int *)NULL = 1;
    count_up(data);
}

static void report_the_crash(int number) {
    _exit(number == SIGSEGV ? 42 : 4);
}

/* As a crash reporter, AddressSanitizer and managed runtimes have it. */
static void the_hosts_crash_handler_runs_for_a_callback_that_faults(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        Count never = COUNT_OF_NOTHING;
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = report_the_crash;
        alarm(hang_seconds() / 2);
        sigaction(SIGSEGV, &action, NULL);
        run_callback(faults, &never);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static volatile sig_atomic_t samples;

static void sample(int number) {
    (void)number;
    samples += 1;
}

/* Works until it was seen by the profiler; the program's alarm ends it otherwise. */
static void works(void *data, gigachat_call *call, gigachat_status status) {
    (void)call;
    (void)status;
    while (samples < 3) {
    }
    count_up(data);
}

static void a_profiler_sees_the_librarys_threads(void) {
    static Count worked = COUNT_OF_NOTHING;
    struct itimerval every, never;
    struct sigaction action, before;
    gigachat_provider *provider = use_the_library();
    gigachat_call *call = NULL;
    sigset_t profile;
    memset(&action, 0, sizeof action);
    action.sa_handler = sample;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGPROF, &action, &before) == 0);
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, works, &worked, NULL, NULL));
    /* From here on a sample can only be one of the library's threads. */
    sigemptyset(&profile);
    sigaddset(&profile, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &profile, NULL);
    memset(&never, 0, sizeof never);
    every = never;
    every.it_interval.tv_usec = every.it_value.tv_usec = 1000;
    CHECK(setitimer(ITIMER_PROF, &every, NULL) == 0);
    CHECK(count_reaches(&worked, 1));
    CHECK(setitimer(ITIMER_PROF, &never, NULL) == 0);
    CHECK(samples >= 3);
    sigaction(SIGPROF, &before, NULL);
    gigachat_call_free(call);
    gigachat_provider_free(provider);
    CHECK_OK(gigachat_shutdown(60000, NULL));
    signal(SIGPROF, SIG_IGN); /* one that is pending */
    pthread_sigmask(SIG_UNBLOCK, &profile, NULL);
    sigaction(SIGPROF, &before, NULL);
}

static void a_broken_connection_raises_no_signal(void) {
    gigachat_config *config = open_config();
    gigachat_provider *provider = NULL;
    int at;
    CHECK_OK(gigachat_config_set_max_retries(config, 0));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    gigachat_config_free(config);
    for (at = 0; at < 5; at++) {
        gigachat_request *request =
            open_request("x", "{\"type\": \"cut_before_answer\", \"reset\": true}");
        gigachat_response *response = NULL;
        gigachat_perform(provider, request, NULL, &response, NULL);
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
        alarm(hang_seconds() / 2);
        signal(number, SIG_DFL); /* a shell's background job ignores SIGINT, and so would its children */
        if (answers(provider, "x") && write(ready[1], "x", 1) == 1) {
            gigachat_perform(provider, request, NULL, &response, NULL);
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
    CHECK_STATUS(gigachat_perform(provider, request, cancel, &response, NULL),
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
    the_librarys_threads_block_all_signals_but_their_own();
        the_hosts_crash_handler_runs_for_a_callback_that_faults();
    a_profiler_sees_the_librarys_threads();
    a_broken_connection_raises_no_signal();
    a_handler_runs_while_the_library_waits();
    return finish();
}
