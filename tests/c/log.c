/*
 * The log callback: levels, replacing it while it runs, replacing it inside of itself, overflow.
 */
#include "fixture.h"

typedef struct Log {
    Count records;
    Count destroyed;
    Count entered;
    Count released;
    int block;
    int running;
    int least; /* the least important level seen */
    int foreign;
    int overflow;
    int answered; /* calls whose record says how they were answered */
    int replaced_inside;
    int ended; /* no record may come any more */
    int late;
} Log;

static void open_log(Log *log) {
    Count nothing = COUNT_OF_NOTHING;
    memset(log, 0, sizeof *log);
    log->records = log->destroyed = log->entered = log->released = nothing;
    log->replaced_inside = -1;
}

static void note_record(void *data, gigachat_log_level level, const char *target,
                        const char *message) {
    Log *log = data;
    __atomic_store_n(&log->running, 1, __ATOMIC_SEQ_CST);
    log->late |= __atomic_load_n(&log->ended, __ATOMIC_SEQ_CST);
    if (level > log->least) {
        log->least = level;
    }
    log->foreign |= strncmp(target, "gigachat", 8) != 0;
    if (strstr(message, "dropped") != NULL) {
        log->overflow = atoi(message);
    }
    log->answered += strstr(message, "request answered") != NULL &&
                     strstr(message, "status=200") != NULL &&
                     strstr(message, "completion_tokens=") != NULL;
    count_up(&log->entered);
    if (log->block) {
        count_reaches(&log->released, 1);
    }
    __atomic_store_n(&log->running, 0, __ATOMIC_SEQ_CST);
    count_up(&log->records);
}

static void note_destroy(void *data) {
    count_up(&((Log *)data)->destroyed);
}

static gigachat_status set_log(gigachat_log_level level, Log *log) {
    return gigachat_set_log_callback(level, note_record, log, note_destroy, NULL);
}

static gigachat_status remove_log(void) {
    return gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL);
}

/* A request that is repeated once: one record at level info or warn at least. */
static void make_records(gigachat_provider *provider) {
    gigachat_request *request = open_request(
        "repeat: x", "{\"type\": \"status\", \"code\": 500}");
    gigachat_response *response = NULL;
    gigachat_perform(provider, request, NULL, &response, NULL);
    gigachat_response_free(response);
    gigachat_request_free(request);
}

static void records_come_up_to_the_level(gigachat_provider *provider) {
    Log log;
    open_log(&log);
    CHECK_OK(set_log(GIGACHAT_LOG_TRACE, &log));
    make_records(provider);
    CHECK(count_reaches(&log.records, 1));
    CHECK_OK(remove_log());
    CHECK(count_now(&log.destroyed) == 1);
    CHECK(!log.foreign);

    open_log(&log);
    CHECK_OK(set_log(GIGACHAT_LOG_WARN, &log));
    make_records(provider);
    CHECK_OK(gigachat_shutdown(60000, NULL));
    CHECK(log.least <= GIGACHAT_LOG_WARN);
    CHECK_OK(remove_log());
    CHECK(count_reaches(&log.destroyed, 1));
}

/* The shutdown delivers what waits: nothing is awaited here. */
static void each_answered_call_leaves_one_record_at_debug(gigachat_provider *provider) {
    Log log;
    open_log(&log);
    CHECK_OK(set_log(GIGACHAT_LOG_DEBUG, &log));
    CHECK(answers(provider, "one"));
    CHECK(answers(provider, "two"));
    CHECK_OK(gigachat_shutdown(60000, NULL));
    CHECK(log.answered == 2);
    CHECK(log.least == GIGACHAT_LOG_DEBUG);
    CHECK_OK(remove_log());
}

static void an_unknown_level_changes_nothing(void) {
    Log log;
    gigachat_error *error = NULL;
    open_log(&log);
    CHECK_STATUS(gigachat_set_log_callback(9, note_record, &log, NULL, &error),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(strstr(gigachat_error_message(error, NULL), "level: 9") != NULL);
    gigachat_error_free(error);
    CHECK_STATUS(gigachat_set_log_callback(-1, note_record, &log, note_destroy, NULL),
                 GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(count_now(&log.destroyed) == 0);
}

static void *release_soon(void *data) {
    Log *log = data;
    struct timespec moment = {0, 30000000};
    nanosleep(&moment, NULL);
    count_up(&log->released);
    return NULL;
}

static void a_replaced_callback_is_not_running_any_more(gigachat_provider *provider) {
    Log log, next;
    pthread_t thread;
    open_log(&log);
    open_log(&next);
    log.block = 1;
    CHECK_OK(set_log(GIGACHAT_LOG_TRACE, &log));
    make_records(provider);
    CHECK(count_reaches(&log.entered, 1));
    /* It is inside of the callback now, and leaves it while this thread waits. */
    thread = run_thread(release_soon, &log);
    CHECK_OK(set_log(GIGACHAT_LOG_TRACE, &next));
    __atomic_store_n(&log.ended, 1, __ATOMIC_SEQ_CST);
    CHECK(!__atomic_load_n(&log.running, __ATOMIC_SEQ_CST));
    make_records(provider);
    CHECK(count_reaches(&next.records, 1));
    CHECK(!log.late);
    CHECK(count_reaches(&log.destroyed, 1));
    pthread_join(thread, NULL);
    CHECK_OK(remove_log());
    CHECK(count_reaches(&next.destroyed, 1));
}

static void hold_up(void *data, gigachat_call *call, gigachat_status status) {
    Log *log = data;
    (void)call;
    (void)status;
    count_up(&log->entered);
    count_reaches(&log->released, 1);
}

/* Records wait behind a callback of the program's that takes its time. */
static void the_removal_destroys_the_user_data_before_it_returns(gigachat_provider *provider) {
    Log blocker, log, next;
    gigachat_call *call = start_endless(provider);
    open_log(&blocker);
    open_log(&log);
    open_log(&next);
    CHECK_OK(gigachat_call_on_done(call, hold_up, &blocker, NULL, NULL));
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK(count_reaches(&blocker.entered, 1));
    CHECK_OK(set_log(GIGACHAT_LOG_TRACE, &log));
    make_records(provider);
    CHECK_OK(set_log(GIGACHAT_LOG_TRACE, &next));
    CHECK(count_now(&log.destroyed) == 1);
    make_records(provider);
    CHECK_OK(remove_log());
    CHECK(count_now(&next.destroyed) == 1);
    CHECK(count_now(&log.records) == 0 && count_now(&next.records) == 0);
    count_up(&blocker.released);
    CHECK_OK(gigachat_shutdown(10000, NULL));
    CHECK(count_now(&log.records) == 0 && count_now(&next.records) == 0);
    CHECK(count_now(&log.destroyed) == 1 && count_now(&next.destroyed) == 1);
    gigachat_call_free(call);
}

static gigachat_provider *inner_provider;

static void log_that_replaces_itself(void *data, gigachat_log_level level, const char *target,
                                     const char *message) {
    Log *log = data;
    (void)level;
    (void)target;
    (void)message;
    if (log->replaced_inside == -1) {
        log->replaced_inside = remove_log();
        /* Its own records are not delivered, else this would never end. */
        CHECK(answers(inner_provider, "inside the log"));
    }
    count_up(&log->records);
}

static void inside_of_itself_it_cannot_be_replaced(gigachat_provider *provider) {
    Log log;
    open_log(&log);
    inner_provider = provider;
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_TRACE, log_that_replaces_itself, &log,
                                       note_destroy, NULL));
    make_records(provider);
    CHECK(count_reaches(&log.records, 1));
    CHECK(log.replaced_inside == GIGACHAT_ERROR_WOULD_DEADLOCK);
    CHECK_OK(remove_log());
    CHECK(count_reaches(&log.destroyed, 1));
}

static void records_without_room_are_counted(gigachat_provider *provider) {
    gigachat_config *config = open_config();
    Log log;
    int at;
    open_log(&log);
    log.block = 1;
    CHECK_OK(gigachat_config_set_verify_tls(config, false));
    CHECK_OK(set_log(GIGACHAT_LOG_TRACE, &log));
    make_records(provider);
    CHECK(count_reaches(&log.entered, 1));
    /* Each insecure provider warns, and nothing takes the warnings away. */
    for (at = 0; at < 1100; at++) {
        gigachat_provider *insecure = NULL;
        gigachat_provider_new(config, &insecure, NULL);
        gigachat_provider_free(insecure);
    }
    count_up(&log.released);
    CHECK(count_reaches(&log.records, 1024));
    CHECK(log.overflow >= 70);
    CHECK_OK(remove_log());
    CHECK(count_reaches(&log.destroyed, 1));
    gigachat_config_free(config);
}

static Log left;

int main(void) {
    gigachat_provider *provider;
    gigachat_config *config;
    begin();
    emulator_reset();
    config = open_config();
    CHECK_OK(gigachat_config_set_max_retries(config, 0));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    gigachat_config_free(config);
    records_come_up_to_the_level(provider);
    each_answered_call_leaves_one_record_at_debug(provider);
    an_unknown_level_changes_nothing();
    a_replaced_callback_is_not_running_any_more(provider);
    the_removal_destroys_the_user_data_before_it_returns(provider);
    inside_of_itself_it_cannot_be_replaced(provider);
    records_without_room_are_counted(provider);
    /* One that is left in place is no leak. */
    open_log(&left);
    CHECK_OK(set_log(GIGACHAT_LOG_ERROR, &left));
    gigachat_provider_free(provider);
    return finish();
}
