/*
 * A forked child uses the inherited provider at once, makes a new one, and is told that calls,
 * streams, queues and cancel tokens are its parent's; the parent goes on as if nothing had been.
 */
#include "../c/fixture.h"

#include <sys/syscall.h>

pid_t _Fork(void); /* POSIX 2024: runs no hooks of pthread_atfork */

static pid_t fork_by_system_call(void) {
    return (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}

/* Runs `body` in a child that ends by exit (`clean`) or _exit; returns whether it passed. */
static int in_child_by(pid_t (*fork_it)(void), int (*body)(void *), void *data, int clean) {
    int status = 0;
    pid_t child;
    fflush(stdout);
    child = fork_it();
    if (child == 0) {
        checks_passed = checks_failed = 0;
        alarm(hang_seconds() / 2);
        int good = body(data) && checks_failed == 0;
        fflush(stdout);
        if (clean) {
            exit(good ? 0 : 3);
        }
        _exit(good ? 0 : 3);
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        printf("the child ended with %s %d\n", WIFEXITED(status) ? "status" : "signal",
               WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int in_child(int (*body)(void *), void *data, int clean) {
    return in_child_by(fork, body, data, clean);
}

typedef struct Inherited {
    gigachat_provider *provider;
    gigachat_request *request;
    gigachat_call *call;
    gigachat_stream *stream;
    gigachat_queue *queue;
    gigachat_cancel *cancel;
    int may_free;
} Inherited;

static int uses_the_inherited_provider(void *data) {
    Inherited *inherited = data;
    return answers(inherited->provider, "child") &&
           gigachat_shutdown(60000, NULL) == GIGACHAT_OK;
}

static int makes_a_new_provider(void *data) {
    gigachat_provider *provider = open_provider();
    int good = answers(provider, "new");
    (void)data;
    gigachat_provider_free(provider);
    return good;
}

static int has_a_grandchild(void *data) {
    return uses_the_inherited_provider(data) &&
           in_child(uses_the_inherited_provider, data, 1) &&
           uses_the_inherited_provider(data);
}

static void nothing(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    (void)status;
}

static int is_told_what_is_its_parents(void *data) {
    Inherited *inherited = data;
    gigachat_response *response = NULL;
    gigachat_event *event = NULL;
    gigachat_error *error = NULL;
    gigachat_call *own = NULL;
    uint64_t tag = 0;
    size_t count = 0;
    int64_t descriptor = 0;
    CHECK_STATUS(gigachat_call_wait(inherited->call, -1, &error), GIGACHAT_ERROR_FORKED);
    CHECK(gigachat_error_status(error) == GIGACHAT_ERROR_FORKED);
    gigachat_error_free(error);
    CHECK_STATUS(gigachat_call_take(inherited->call, &response, NULL), GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_call_cancel(inherited->call, NULL), GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_call_on_done(inherited->call, nothing, NULL, NULL, NULL),
                 GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_call_attach(inherited->call, inherited->queue, 1, NULL),
                 GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_stream_next(inherited->stream, -1, &event, NULL), GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_stream_response(inherited->stream, &response, NULL),
                 GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_stream_cancel(inherited->stream, NULL), GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_stream_attach(inherited->stream, inherited->queue, 1, NULL),
                 GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_queue_take(inherited->queue, -1, &tag, 1, &count, NULL),
                 GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_queue_descriptor(inherited->queue, &descriptor, NULL),
                 GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_cancel_now(inherited->cancel, NULL), GIGACHAT_ERROR_FORKED);
    CHECK_STATUS(gigachat_generate(inherited->provider, "x", 1, NULL, inherited->cancel, &response,
                                   NULL),
                 GIGACHAT_ERROR_FORKED);
    /* Builders travel; a call of its own cannot use what is inherited. */
    CHECK_OK(gigachat_request_set_header(inherited->request, "X-Child", 7, "yes", 3));
    CHECK_OK(gigachat_start(inherited->provider, inherited->request, &own, NULL));
    CHECK_STATUS(gigachat_call_attach(own, inherited->queue, 9, NULL), GIGACHAT_ERROR_FORKED);
    CHECK_OK(gigachat_call_wait(own, -1, NULL));
    CHECK_OK(gigachat_call_take(own, &response, NULL));
    gigachat_response_free(response);
    gigachat_call_free(own);
    if (inherited->may_free) {
        gigachat_call_free(inherited->call);
        gigachat_stream_free(inherited->stream);
        gigachat_queue_free(inherited->queue);
        gigachat_cancel_free(inherited->cancel);
        gigachat_request_free(inherited->request);
        CHECK(answers(inherited->provider, "after the frees"));
        gigachat_provider_free(inherited->provider);
        CHECK_OK(gigachat_shutdown(60000, NULL));
        CHECK(gigachat_live_handles() == 1); /* the parent's slow request */
    }
    return 1;
}

static void an_idle_provider_may_be_forked(gigachat_provider *provider) {
    Inherited inherited = {NULL, NULL, NULL, NULL, NULL, NULL, 0};
    int clean;
    inherited.provider = provider;
    /* Before the first use of the library, and then with connections that idle. */
    CHECK(in_child(uses_the_inherited_provider, &inherited, 1));
    CHECK(answers(provider, "warm"));
    for (clean = 0; clean < 2; clean++) {
        CHECK(in_child(uses_the_inherited_provider, &inherited, clean));
        CHECK(in_child(makes_a_new_provider, &inherited, clean));
        CHECK(in_child(has_a_grandchild, &inherited, clean));
        CHECK(answers(provider, "parent"));
    }
}

/* As a sandbox, a container's first process or a crash reporter makes its child. */
static void a_fork_that_runs_no_hooks_is_noticed(gigachat_provider *provider) {
    Inherited inherited = {NULL, NULL, NULL, NULL, NULL, NULL, 0};
    int clean;
    inherited.provider = provider;
    CHECK(answers(provider, "warm"));
    for (clean = 0; clean < 2; clean++) {
        CHECK(in_child_by(_Fork, uses_the_inherited_provider, &inherited, clean));
        CHECK(in_child_by(_Fork, has_a_grandchild, &inherited, clean));
        CHECK(in_child_by(fork_by_system_call, uses_the_inherited_provider, &inherited, clean));
        CHECK(in_child_by(fork_by_system_call, has_a_grandchild, &inherited, clean));
        CHECK(answers(provider, "parent"));
    }
}

/* What the child does must not be seen in the parent: its stream goes on to its end, its queue
 * stays empty, its call stays open, its token stays good. */
#define WAYS 6
static pid_t (*const ways[WAYS])(void) = {fork, fork, fork, fork, _Fork, fork_by_system_call};

static void a_fork_with_everything_open_leaves_the_parent_alone(gigachat_provider *provider) {
    gigachat_request *slow =
        open_request("count to 40", "{\"type\": \"delay_chunks\", \"ms\": 20}");
    Inherited inherited;
    gigachat_event *event = NULL;
    struct pollfd watched = {0, POLLIN, 0};
    int64_t descriptor = 0;
    int way, texts, opened;
    for (way = 0; way < WAYS; way++) {
        inherited.provider = provider;
        inherited.request = open_request("repeat: x", NULL);
        inherited.call = start_endless(provider);
        inherited.may_free = way >= 2;
        CHECK_OK(gigachat_queue_new(&inherited.queue, NULL));
        CHECK_OK(gigachat_cancel_new(&inherited.cancel, NULL));
        CHECK_OK(gigachat_call_attach(inherited.call, inherited.queue, 1, NULL));
        CHECK_OK(gigachat_queue_descriptor(inherited.queue, &descriptor, NULL));
        CHECK_OK(gigachat_open(provider, slow, &inherited.stream, NULL));
        CHECK_OK(gigachat_stream_next(inherited.stream, -1, &event, NULL));
        gigachat_event_free(event);
        CHECK(emulator_wait("in_flight", 2, 2));
        opened = emulator_counter("connections_opened");
        CHECK(in_child_by(ways[way], is_told_what_is_its_parents, &inherited, way % 2));
        /* The child came over connections of its own (its two calls over one, and the control
         * requests of this test). */
        CHECK(emulator_counter("connections_opened") > opened + 1);
        watched.fd = (int)descriptor;
        CHECK(poll(&watched, 1, 0) == 0);
        CHECK_STATUS(gigachat_call_wait(inherited.call, 0, NULL), GIGACHAT_NOT_YET);
        CHECK_STATUS(read_to_end(inherited.stream, &texts), GIGACHAT_STREAM_END);
        CHECK(texts > 5);
        CHECK_OK(gigachat_call_cancel(inherited.call, NULL));
        CHECK_OK(gigachat_call_wait(inherited.call, -1, NULL));
        CHECK(poll(&watched, 1, 60000) == 1);
        CHECK_OK(gigachat_cancel_now(inherited.cancel, NULL));
        gigachat_call_free(inherited.call);
        gigachat_stream_free(inherited.stream);
        gigachat_queue_free(inherited.queue);
        gigachat_cancel_free(inherited.cancel);
        gigachat_request_free(inherited.request);
        CHECK(answers(provider, "parent"));
    }
    gigachat_request_free(slow);
}

static int go_on;

static void *call_all_the_time(void *data) {
    intptr_t failures = 0;
    while (__atomic_load_n(&go_on, __ATOMIC_SEQ_CST)) {
        failures += !answers(data, "busy");
    }
    return (void *)failures;
}

static void forks_while_eight_threads_call(gigachat_provider *provider) {
    Inherited inherited = {NULL, NULL, NULL, NULL, NULL, NULL, 0};
    pthread_t threads[8];
    int at;
    inherited.provider = provider;
    go_on = 1;
    for (at = 0; at < 8; at++) {
        threads[at] = run_thread(call_all_the_time, provider);
    }
    for (at = 0; at < rounds(100); at++) {
        CHECK(in_child(at % 4 == 3 ? makes_a_new_provider : uses_the_inherited_provider,
                       &inherited, at % 2));
    }
    __atomic_store_n(&go_on, 0, __ATOMIC_SEQ_CST);
    for (at = 0; at < 8; at++) {
        void *failures = NULL;
        pthread_join(threads[at], &failures);
        CHECK(failures == NULL);
    }
}

static int answered_in_callback;

/* The child of a callback is an ordinary process: it may call, shut down, exit. */
static int is_forked_by_a_callback(void *data) {
    return answers(data, "child of a callback") && gigachat_shutdown(60000, NULL) == GIGACHAT_OK;
}

static void forks(void *data, gigachat_call *call, gigachat_status status) {
    (void)call;
    answered_in_callback = status == GIGACHAT_OK && in_child(is_forked_by_a_callback, data, 1) &&
                           in_child(is_forked_by_a_callback, data, 0);
}

static Count destroyed = COUNT_OF_NOTHING;

static void note_destroy(void *data) {
    (void)data;
    count_up(&destroyed);
}

static void a_callback_may_fork(gigachat_provider *provider) {
    gigachat_call *call = NULL;
    double begun = seconds_now();
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, forks, provider, note_destroy, NULL));
    CHECK(count_reaches(&destroyed, 1));
    CHECK(answered_in_callback);
    /* Its exit must not wait for a callback that is its parent's. */
    CHECK(seconds_now() - begun < 20);
    gigachat_call_free(call);
}

static Count records = COUNT_OF_NOTHING;

static void note_record(void *data, gigachat_log_level level, const char *target,
                        const char *message) {
    (void)data;
    (void)level;
    (void)target;
    (void)message;
    count_up(&records);
}

/* A provider that does not verify TLS says so in the log. */
static int logs(void) {
    gigachat_config *config = open_config();
    gigachat_provider *provider = NULL;
    int before = count_now(&records);
    gigachat_status status = gigachat_config_set_verify_tls(config, false);
    int good = status == GIGACHAT_OK &&
               gigachat_provider_new(config, &provider, NULL) == GIGACHAT_OK &&
               count_reaches(&records, before + 1);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    return good;
}

static int logs_and_replaces_the_log(void *data) {
    int good = answers(data, "logged") && logs();
    good = good && gigachat_set_log_callback(GIGACHAT_LOG_TRACE, note_record, NULL, NULL, NULL) ==
                       GIGACHAT_OK;
    good = good && logs() && logs();
    return good && gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL) ==
                       GIGACHAT_OK;
}

static void the_log_callback_is_inherited(gigachat_provider *provider) {
    int at;
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_TRACE, note_record, NULL, NULL, NULL));
    for (at = 0; at < 10; at++) {
        CHECK(logs());
        CHECK(answers(provider, "logged"));
        /* So that no callback holds the count's own lock at the fork. */
        CHECK_OK(gigachat_shutdown(60000, NULL));
        CHECK(in_child(logs_and_replaces_the_log, provider, at % 2));
    }
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL));
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    an_idle_provider_may_be_forked(provider);
    a_fork_that_runs_no_hooks_is_noticed(provider);
    a_fork_with_everything_open_leaves_the_parent_alone(provider);
    forks_while_eight_threads_call(provider);
    a_callback_may_fork(provider);
    the_log_callback_is_inherited(provider);
    gigachat_provider_free(provider);
    return finish();
}
