/*
 * Handles that many tests begin with: a provider of the emulator, requests that it answers, never
 * answers, or answers in part.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "emulator.h"

#define ANY 1000000000

/* The configuration that the environment gives, without a limit of calls in flight. */
static inline gigachat_config *open_config(void) {
    gigachat_config *config = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_config_from_env(&config, &error));
    CHECK_NO_ERROR(error);
    CHECK_OK(gigachat_config_set_max_concurrency(config, 0));
    CHECK_OK(gigachat_config_set(config, "connect_timeout", GIGACHAT_ZT, "200", GIGACHAT_ZT));
    CHECK_OK(gigachat_config_set_timeout_ms(config, 200000));
    return config;
}

static inline gigachat_provider *open_provider(void) {
    gigachat_config *config = open_config();
    gigachat_provider *provider = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_provider_new(config, &provider, &error));
    CHECK_NO_ERROR(error);
    gigachat_config_free(config);
    return provider;
}

/* A request with a fault that the emulator makes of it; NULL is none. */
static inline gigachat_request *open_request(const char *prompt, const char *fault) {
    gigachat_request *request = NULL;
    CHECK_OK(gigachat_request_new("chat", GIGACHAT_ZT, &request, NULL));
    CHECK_OK(gigachat_request_add_message(request, "user", GIGACHAT_ZT, prompt, GIGACHAT_ZT));
    if (fault != NULL) {
        CHECK_OK(gigachat_request_set_header(request, "X-Emulator-Fault", GIGACHAT_ZT, fault,
                                             GIGACHAT_ZT));
    }
    return request;
}

/* A chat in the wire format. */
static inline gigachat_request *request_of_json(const char *json) {
    gigachat_request *request = NULL;
    CHECK_OK(gigachat_request_new("chat", GIGACHAT_ZT, &request, NULL));
    CHECK_OK(gigachat_request_set_json(request, json, GIGACHAT_ZT));
    return request;
}

/* Sets a time limit of a request. */
static inline gigachat_status set_ms(gigachat_request *request, const char *name, uint64_t ms) {
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%d.%03d", (int)(ms / 1000), (int)(ms % 1000));
    return gigachat_request_set(request, name, GIGACHAT_ZT, seconds, GIGACHAT_ZT);
}

/* Asks for an operation that needs nothing more, and waits. */
static inline gigachat_status ask_for(const gigachat_provider *provider, const char *operation,
                                      const gigachat_cancel *cancel, gigachat_response **response,
                                      gigachat_error **error) {
    gigachat_request *request = NULL;
    gigachat_status status;
    CHECK_OK(gigachat_request_new(operation, GIGACHAT_ZT, &request, NULL));
    status = gigachat_perform(provider, request, cancel, response, error);
    gigachat_request_free(request);
    return status;
}

/* The same, started. */
static inline gigachat_status start_for(const gigachat_provider *provider, const char *operation,
                                        gigachat_call **call) {
    gigachat_request *request = NULL;
    gigachat_status status;
    CHECK_OK(gigachat_request_new(operation, GIGACHAT_ZT, &request, NULL));
    status = gigachat_start(provider, request, call, NULL);
    gigachat_request_free(request);
    return status;
}

/* A call that runs until it is cancelled. */
static inline gigachat_call *start_endless(const gigachat_provider *provider) {
    gigachat_request *request =
        open_request("wait", "{\"type\": \"delay_headers\", \"ms\": 600000}");
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_start(provider, request, &call, &error));
    CHECK_NO_ERROR(error);
    gigachat_request_free(request);
    return call;
}

/* A stream that stays open after its first chunks until it is cancelled. */
static inline gigachat_stream *open_endless(const gigachat_provider *provider) {
    gigachat_request *request =
        open_request("count to 50", "{\"type\": \"stall_after\", \"chunks\": 2}");
    gigachat_stream *stream = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_open(provider, request, &stream, &error));
    CHECK_NO_ERROR(error);
    gigachat_request_free(request);
    return stream;
}

/* Asks `repeat: <text>` and returns whether that is the answer. */
static inline int answers(const gigachat_provider *provider, const char *text) {
    char prompt[256];
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status;
    int good;
    snprintf(prompt, sizeof prompt, "repeat: %s", text);
    status = gigachat_generate(provider, prompt, GIGACHAT_ZT, NULL, NULL, &response, &error);
    good = status == GIGACHAT_OK && strcmp(gigachat_response_text(response, NULL), text) == 0;
    if (!good) {
        const char *message = gigachat_error_message(error, NULL);
        printf("no answer: %s: %s\n", gigachat_status_name(status), message ? message : "");
    }
    gigachat_error_free(error);
    gigachat_response_free(response);
    return good;
}

/* Reads a stream to its end; returns how that came, and how many texts there were. */
static inline gigachat_status read_to_end(gigachat_stream *stream, int *texts) {
    gigachat_event *event = NULL;
    gigachat_status status;
    *texts = 0;
    while ((status = gigachat_stream_next(stream, -1, &event, NULL)) == GIGACHAT_OK) {
        *texts += gigachat_event_kind(event) == GIGACHAT_EVENT_TEXT;
        gigachat_event_free(event);
    }
    return status;
}

static inline pthread_t run_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, argument) != 0) {
        perror("pthread_create");
        exit(70);
    }
    return thread;
}

/* A count that a callback changes and a test waits for. */
typedef struct Count {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int value;
} Count;

#define COUNT_OF_NOTHING {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

static inline void count_up(Count *count) {
    pthread_mutex_lock(&count->lock);
    count->value += 1;
    pthread_cond_broadcast(&count->changed);
    pthread_mutex_unlock(&count->lock);
}

static inline int count_now(Count *count) {
    int value;
    pthread_mutex_lock(&count->lock);
    value = count->value;
    pthread_mutex_unlock(&count->lock);
    return value;
}

/* Waits until the count is at least `wanted`, at most 200 s. */
static inline int count_reaches(Count *count, int wanted) {
    struct timespec until;
    int good;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 200;
    pthread_mutex_lock(&count->lock);
    while (count->value < wanted &&
           pthread_cond_timedwait(&count->changed, &count->lock, &until) == 0) {
    }
    good = count->value >= wanted;
    pthread_mutex_unlock(&count->lock);
    return good;
}

#endif
