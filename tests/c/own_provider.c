/*
 * A program's own provider: whole answers, parts, health, failures, cancels, replies that are
 * answered twice or never. And routers over such members and the service.
 */
#include "fixture.h"

typedef struct Own {
    Count asked, cancelled, destroyed;
    /* What the next request gets; the reply of one that is kept waiting. */
    gigachat_status failure;
    int keep;
    gigachat_reply *kept;
} Own;

#define OWN_OF_NOTHING {COUNT_OF_NOTHING, COUNT_OF_NOTHING, COUNT_OF_NOTHING, GIGACHAT_OK, 0, NULL}

static void note_cancel(void *user_data) {
    count_up(&((Own *)user_data)->cancelled);
}

static void note_destroy(void *user_data) {
    count_up(&((Own *)user_data)->destroyed);
}

static int refused(Own *own, gigachat_reply *reply) {
    if (own->failure == GIGACHAT_OK) {
        return 0;
    }
    CHECK_OK(gigachat_reply_fail(reply, own->failure, "no", GIGACHAT_ZT, -1, NULL));
    return 1;
}

static void generate(void *user_data, const char *request, gigachat_reply *reply) {
    Own *own = user_data;
    CHECK(strstr(request, "\"messages\":[{\"role\":\"user\"") != NULL);
    if (own->keep) {
        CHECK_OK(gigachat_reply_on_cancel(reply, note_cancel, own, NULL, NULL));
        CHECK_STATUS(gigachat_reply_on_cancel(reply, note_cancel, own, NULL, NULL), GIGACHAT_ERROR_ALREADY_SET);
        own->kept = reply;
        count_up(&own->asked);
        return;
    }
    if (!refused(own, reply)) {
        CHECK_STATUS(gigachat_reply_push(reply, "x", 1, NULL), GIGACHAT_ERROR_INVALID_REQUEST);
        CHECK_OK(gigachat_reply_finish(reply, "own answer", GIGACHAT_ZT, NULL, 0, NULL));
        CHECK_STATUS(gigachat_reply_finish(reply, "again", GIGACHAT_ZT, NULL, 0, NULL), GIGACHAT_ERROR_ALREADY_TAKEN);
    }
    gigachat_reply_free(reply);
    count_up(&own->asked);
}

static void stream_parts(void *user_data, const char *request, gigachat_reply *reply) {
    Own *own = user_data;
    CHECK(request != NULL);
    if (!refused(own, reply)) {
        CHECK_OK(gigachat_reply_push(reply, "own ", GIGACHAT_ZT, NULL));
        CHECK_OK(gigachat_reply_push(reply, "parts", GIGACHAT_ZT, NULL));
        CHECK_OK(gigachat_reply_finish(reply, NULL, 0, "length", GIGACHAT_ZT, NULL));
    }
    gigachat_reply_free(reply);
    count_up(&own->asked);
}

static void health(void *user_data, const char *request, gigachat_reply *reply) {
    Own *own = user_data;
    /* Never NULL, so that a program need not know this exception. */
    CHECK(request != NULL && request[0] == '\0');
    if (!refused(own, reply)) {
        CHECK_OK(gigachat_reply_finish(reply, NULL, 0, NULL, 0, NULL));
    }
    gigachat_reply_free(reply);
    count_up(&own->asked);
}

static gigachat_provider *open_own(Own *own, const char *name) {
    gigachat_custom_options *builder = NULL;
    gigachat_provider *provider = NULL;
    CHECK_OK(gigachat_custom_options_new(name, GIGACHAT_ZT, &builder, NULL));
    CHECK_STATUS(gigachat_custom_new(builder, own, note_destroy, &provider, NULL), GIGACHAT_ERROR_NULL_ARGUMENT);
    CHECK_OK(gigachat_custom_options_set_generate(builder, generate));
    CHECK_OK(gigachat_custom_options_set_stream(builder, stream_parts));
    CHECK_OK(gigachat_custom_options_set_health_check(builder, health));
    CHECK_OK(gigachat_custom_new(builder, own, note_destroy, &provider, NULL));
    gigachat_custom_options_free(builder);
    return provider;
}

static int says(gigachat_provider *provider, const char *expected) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_generate(provider, "hi", 2, NULL, NULL, &response, &error);
    int good = status == GIGACHAT_OK && strstr(gigachat_response_text(response, NULL), expected) != NULL;
    if (!good) {
        const char *message = gigachat_error_message(error, NULL);
        printf("%s: %s\n", gigachat_status_name(status), message == NULL ? "" : message);
    }
    gigachat_error_free(error);
    gigachat_response_free(response);
    return good;
}

static void it_answers_whole_in_parts_and_about_its_health(void) {
    Own own = OWN_OF_NOTHING;
    gigachat_provider *provider = open_own(&own, "own");
    gigachat_stream *stream = NULL;
    gigachat_response *response = NULL;
    int texts = 0;
    CHECK(says(provider, "own answer"));
    CHECK_OK(gigachat_generate_stream(provider, "hi", 2, NULL, &stream, NULL));
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_STREAM_END);
    CHECK(texts == 2);
    CHECK_OK(gigachat_stream_response(stream, &response, NULL));
    CHECK(strcmp(gigachat_response_text(response, NULL), "own parts") == 0);
    CHECK(strcmp(gigachat_response_finish_reason(response, NULL), "length") == 0);
    gigachat_response_free(response);
    gigachat_stream_free(stream);
    CHECK_OK(gigachat_health_check(provider, -1, NULL, NULL, NULL));
    own.failure = GIGACHAT_ERROR_SERVER;
    CHECK_STATUS(gigachat_health_check(provider, -1, NULL, NULL, NULL), GIGACHAT_ERROR_SERVER);
    gigachat_provider_free(provider);
    CHECK(count_reaches(&own.destroyed, 1));
}

static void its_failures_are_the_callers(void) {
    Own own = OWN_OF_NOTHING;
    gigachat_provider *provider = open_own(&own, "own");
    gigachat_response *response = NULL;
    gigachat_stream *stream = NULL;
    int texts = 0;
    own.failure = GIGACHAT_ERROR_RATE_LIMIT;
    CHECK_STATUS(gigachat_generate(provider, "hi", 2, NULL, NULL, &response, NULL), GIGACHAT_ERROR_RATE_LIMIT);
    CHECK_OK(gigachat_generate_stream(provider, "hi", 2, NULL, &stream, NULL));
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_ERROR_RATE_LIMIT);
    gigachat_stream_free(stream);
    gigachat_provider_free(provider);
    CHECK(count_reaches(&own.destroyed, 1));
}

static void a_cancelled_request_tells_the_provider(void) {
    Own own = OWN_OF_NOTHING;
    gigachat_provider *provider = open_own(&own, "own");
    gigachat_call *call = NULL;
    gigachat_response *response = NULL;
    own.keep = 1;
    CHECK_OK(gigachat_generate_start(provider, "hi", 2, NULL, &call, NULL));
    CHECK(count_reaches(&own.asked, 1));
    CHECK(!gigachat_reply_is_cancelled(own.kept));
    CHECK_OK(gigachat_call_cancel(call, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, NULL), GIGACHAT_ERROR_CANCELLED);
    CHECK(count_reaches(&own.cancelled, 1));
    CHECK(gigachat_reply_is_cancelled(own.kept));
    CHECK_OK(gigachat_reply_finish(own.kept, "late", GIGACHAT_ZT, NULL, 0, NULL));
    gigachat_reply_free(own.kept);
    gigachat_call_free(call);
    gigachat_provider_free(provider);
    CHECK(count_reaches(&own.destroyed, 1));
    CHECK(count_now(&own.cancelled) == 1);
}

static void a_reply_freed_without_an_answer_fails_its_request(void) {
    Own own = OWN_OF_NOTHING;
    gigachat_provider *provider = open_own(&own, "own");
    gigachat_call *call = NULL;
    gigachat_response *response = NULL;
    own.keep = 1;
    CHECK_OK(gigachat_generate_start(provider, "hi", 2, NULL, &call, NULL));
    CHECK(count_reaches(&own.asked, 1));
    gigachat_reply_free(own.kept);
    gigachat_reply_free(own.kept);
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, NULL), GIGACHAT_ERROR_INTERNAL);
    gigachat_call_free(call);
    gigachat_provider_free(provider);
    CHECK(count_reaches(&own.destroyed, 1));
}

static void a_router_falls_over_to_the_next_member(gigachat_provider *service) {
    Own own = OWN_OF_NOTHING;
    gigachat_provider *member = open_own(&own, "own"), *router = NULL;
    gigachat_router_options *options = NULL;
    gigachat_text *text = NULL;
    uint64_t id = 0;
    CHECK_OK(gigachat_router_options_new(&options, NULL));
    CHECK_OK(gigachat_router_options_set(options, "strategy", GIGACHAT_ZT, "first-available", GIGACHAT_ZT));
    CHECK_OK(gigachat_router_options_set(options, "deadline", GIGACHAT_ZT, "30", GIGACHAT_ZT));
    CHECK_OK(gigachat_router_new(options, &router, NULL));
    gigachat_router_options_free(options);
    CHECK_OK(gigachat_router_add(router, member, NULL, 0, 1, &id, NULL));
    CHECK_OK(gigachat_router_add(router, service, "service", GIGACHAT_ZT, 1, NULL, NULL));
    CHECK_STATUS(gigachat_router_add(router, service, NULL, 0, 0, NULL, NULL), GIGACHAT_ERROR_CONFIGURATION);
    CHECK_STATUS(gigachat_router_add(router, router, NULL, 0, 1, NULL, NULL), GIGACHAT_ERROR_CONFIGURATION);
    CHECK_STATUS(gigachat_router_add(service, member, NULL, 0, 1, NULL, NULL), GIGACHAT_ERROR_INVALID_REQUEST);
    CHECK(says(router, "own answer"));
    own.failure = GIGACHAT_ERROR_SERVER;
    CHECK(says(router, "This is the emulator's answer"));
    CHECK_OK(gigachat_router_metrics_json(router, &text, NULL));
    CHECK(strstr(gigachat_text_data(text, NULL), "\"service\"") != NULL);
    gigachat_text_free(text);
    CHECK_OK(gigachat_router_prometheus(router, &text, NULL));
    CHECK(strstr(gigachat_text_data(text, NULL), "# TYPE ") != NULL);
    gigachat_text_free(text);
    CHECK_OK(gigachat_router_set_price(router, "GigaChat", GIGACHAT_ZT, 0.2, 0.2, NULL));
    CHECK_OK(gigachat_router_remove(router, id, NULL));
    CHECK_STATUS(gigachat_router_remove(router, id, NULL), GIGACHAT_ERROR_NOT_FOUND);
    CHECK(says(router, "This is the emulator's answer"));
    gigachat_provider_free(member);
    gigachat_provider_free(router);
    CHECK(count_reaches(&own.destroyed, 1));
}

static void routers_nest_but_not_in_a_circle(gigachat_provider *service) {
    gigachat_provider *inner = NULL, *outer = NULL;
    CHECK_OK(gigachat_router_new(NULL, &inner, NULL));
    CHECK_OK(gigachat_router_new(NULL, &outer, NULL));
    CHECK_OK(gigachat_router_add(inner, service, NULL, 0, 1, NULL, NULL));
    CHECK_OK(gigachat_router_add(outer, inner, NULL, 0, 1, NULL, NULL));
    CHECK(says(outer, "This is the emulator's answer"));
    CHECK_STATUS(gigachat_router_add(inner, outer, NULL, 0, 1, NULL, NULL), GIGACHAT_ERROR_CONFIGURATION);
    gigachat_provider_free(inner);
    gigachat_provider_free(outer);
}

static void limit(gigachat_request *request, uint64_t timeout_ms, uint64_t deadline_ms) {
    if (timeout_ms > 0) {
        CHECK_OK(set_ms(request, "timeout", timeout_ms));
    }
    if (deadline_ms > 0) {
        CHECK_OK(set_ms(request, "deadline", deadline_ms));
    }
}

static int told_of_time(gigachat_error *error, const char *words, const char *phase) {
    const char *message = gigachat_error_message(error, NULL);
    int good = message != NULL && strstr(message, words) != NULL &&
               strcmp(gigachat_error_phase(error, NULL), phase) == 0;
    if (!good) {
        printf("%s: %s\n", gigachat_error_phase(error, NULL), message == NULL ? "" : message);
    }
    return good;
}

static void the_time_limits_of_a_request_hold_for_a_whole_answer(void) {
    static const struct {
        uint64_t timeout, deadline;
        const char *words;
    } cases[] = {{50, 0, "no answer from slow within 0.05 s, this request's timeout"},
                 {0, 60, "no answer from slow within 0.06 s, this request's deadline"},
                 {60000, 70, "this request's deadline"}};
    size_t at;
    for (at = 0; at < sizeof cases / sizeof *cases; at++) {
        Own own = OWN_OF_NOTHING;
        gigachat_provider *provider = open_own(&own, "slow");
        gigachat_request *request = open_request("hi", NULL);
        gigachat_response *response = NULL;
        gigachat_error *error = NULL;
        own.keep = 1;
        limit(request, cases[at].timeout, cases[at].deadline);
        CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error), GIGACHAT_ERROR_TIMEOUT);
        CHECK(response == NULL);
        CHECK(told_of_time(error, cases[at].words, "answer"));
        /* The program is told, and what it answers all the same is nobody's. */
        CHECK(count_reaches(&own.cancelled, 1));
        CHECK(gigachat_reply_is_cancelled(own.kept));
        CHECK_OK(gigachat_reply_finish(own.kept, "late", GIGACHAT_ZT, NULL, 0, NULL));
        gigachat_reply_free(own.kept);
        own.keep = 0;
        CHECK(says(provider, "own answer"));
        gigachat_error_free(error);
        gigachat_request_free(request);
        gigachat_provider_free(provider);
        CHECK(count_reaches(&own.destroyed, 1));
    }
}

static void answer_after_a_wait(void *user_data, const char *request, gigachat_reply *reply) {
    Own *own = user_data;
    (void)request;
    count_up(&own->asked);
    count_reaches(&own->cancelled, 1);
    CHECK_OK(gigachat_reply_finish(reply, "late", GIGACHAT_ZT, NULL, 0, NULL));
    gigachat_reply_free(reply);
}

static void a_callback_that_does_not_return_is_no_excuse(void) {
    Own own = OWN_OF_NOTHING;
    gigachat_custom_options *builder = NULL;
    gigachat_provider *provider = NULL;
    gigachat_request *request = open_request("hi", NULL);
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_custom_options_new("stuck", GIGACHAT_ZT, &builder, NULL));
    CHECK_OK(gigachat_custom_options_set_generate(builder, answer_after_a_wait));
    CHECK_OK(gigachat_custom_new(builder, &own, note_destroy, &provider, NULL));
    limit(request, 50, 0);
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error), GIGACHAT_ERROR_TIMEOUT);
    CHECK(told_of_time(error, "no answer from stuck", "answer"));
    count_up(&own.cancelled); /* lets it go */
    gigachat_error_free(error);
    gigachat_request_free(request);
    gigachat_custom_options_free(builder);
    gigachat_provider_free(provider);
    CHECK(count_reaches(&own.destroyed, 1));
}

/* Delivers one piece and keeps the reply. */
static void stream_a_piece(void *user_data, const char *request, gigachat_reply *reply) {
    Own *own = user_data;
    (void)request;
    CHECK_OK(gigachat_reply_push(reply, "piece", GIGACHAT_ZT, NULL));
    own->kept = reply;
    count_up(&own->asked);
}

static void stream_nothing(void *user_data, const char *request, gigachat_reply *reply) {
    Own *own = user_data;
    (void)request;
    own->kept = reply;
    count_up(&own->asked);
}

static gigachat_provider *open_stream_of(Own *own, const char *name, int pieces) {
    gigachat_custom_options *builder = NULL;
    gigachat_provider *provider = NULL;
    CHECK_OK(gigachat_custom_options_new(name, GIGACHAT_ZT, &builder, NULL));
    CHECK_OK(gigachat_custom_options_set_generate(builder, generate));
    CHECK_OK(gigachat_custom_options_set_stream(builder, pieces ? stream_a_piece : stream_nothing));
    CHECK_OK(gigachat_custom_new(builder, own, note_destroy, &provider, NULL));
    gigachat_custom_options_free(builder);
    return provider;
}

static gigachat_status read_error(gigachat_stream *stream, gigachat_error **error) {
    gigachat_event *event = NULL;
    gigachat_status status;
    while ((status = gigachat_stream_next(stream, -1, &event, error)) == GIGACHAT_OK) {
        gigachat_event_free(event);
    }
    return status;
}

static void the_time_limits_of_a_request_hold_for_a_stream(void) {
    int pieces;
    for (pieces = 0; pieces < 2; pieces++) {
        Own own = OWN_OF_NOTHING;
        gigachat_provider *provider = open_stream_of(&own, "slow", pieces);
        gigachat_request *request = open_request("hi", NULL);
        gigachat_stream *stream = NULL;
        gigachat_error *error = NULL;
        const char *partial;
        limit(request, 1000, 0); /* the piece comes within that on a busy machine, too */
        CHECK_OK(gigachat_open(provider, request, &stream, NULL));
        CHECK_STATUS(read_error(stream, &error), GIGACHAT_ERROR_TIMEOUT);
        CHECK(told_of_time(error, "slow", pieces ? "idle" : "first_content"));
        partial = gigachat_error_partial_text(error, NULL);
        CHECK(pieces ? strcmp(partial, "piece") == 0 : partial == NULL || *partial == '\0');
        CHECK_OK(gigachat_reply_push(own.kept, "late", GIGACHAT_ZT, NULL));
        CHECK_OK(gigachat_reply_finish(own.kept, "later", GIGACHAT_ZT, NULL, 0, NULL));
        gigachat_reply_free(own.kept);
        gigachat_error_free(error);
        gigachat_stream_free(stream);
        gigachat_request_free(request);
        gigachat_provider_free(provider);
        CHECK(count_reaches(&own.destroyed, 1));
    }
}

/* The member that a router gave up answers late, in the middle of the next one's stream. */
static void a_late_part_never_gets_into_the_stream_of_the_next_member(void) {
    Own first = OWN_OF_NOTHING, second = OWN_OF_NOTHING;
    gigachat_provider *one = open_stream_of(&first, "first", 0);
    gigachat_provider *two = open_stream_of(&second, "second", 1);
    gigachat_provider *router = NULL;
    gigachat_request *request = open_request("hi", NULL);
    gigachat_stream *stream = NULL;
    gigachat_response *response = NULL;
    int texts = 0;
    CHECK_OK(gigachat_router_new(NULL, &router, NULL));
    CHECK_OK(gigachat_router_add(router, one, NULL, 0, 1, NULL, NULL));
    CHECK_OK(gigachat_router_add(router, two, NULL, 0, 1, NULL, NULL));
    limit(request, 200, 0);
    CHECK_OK(gigachat_open(router, request, &stream, NULL));
    CHECK(count_reaches(&second.asked, 1));
    CHECK_OK(gigachat_reply_push(first.kept, "late", GIGACHAT_ZT, NULL));
    CHECK_OK(gigachat_reply_finish(first.kept, "later", GIGACHAT_ZT, NULL, 0, NULL));
    CHECK_OK(gigachat_reply_finish(second.kept, NULL, 0, NULL, 0, NULL));
    CHECK_STATUS(read_to_end(stream, &texts), GIGACHAT_STREAM_END);
    CHECK_OK(gigachat_stream_response(stream, &response, NULL));
    CHECK(strcmp(gigachat_response_text(response, NULL), "piece") == 0);
    gigachat_reply_free(first.kept);
    gigachat_reply_free(second.kept);
    gigachat_response_free(response);
    gigachat_stream_free(stream);
    gigachat_request_free(request);
    gigachat_provider_free(router);
    gigachat_provider_free(one);
    gigachat_provider_free(two);
    CHECK(count_reaches(&first.destroyed, 1));
    CHECK(count_reaches(&second.destroyed, 1));
}

int main(void) {
    gigachat_provider *service;
    begin();
    service = open_provider();
    it_answers_whole_in_parts_and_about_its_health();
    its_failures_are_the_callers();
    a_cancelled_request_tells_the_provider();
    a_reply_freed_without_an_answer_fails_its_request();
    a_router_falls_over_to_the_next_member(service);
    the_time_limits_of_a_request_hold_for_a_whole_answer();
    a_callback_that_does_not_return_is_no_excuse();
    the_time_limits_of_a_request_hold_for_a_stream();
    a_late_part_never_gets_into_the_stream_of_the_next_member();
    routers_nest_but_not_in_a_circle(service);
    gigachat_provider_free(service);
    return finish();
}
