/*
 * What would recurse is bounded or does not: routers nest to 16 and no deeper, JSON is read without
 * going down the stack; all of it on a callback's stack of 64 KiB.
 */
#include "../c/fixture.h"

#define DEEPEST 16
#define CHAIN 100000

/* Each router lies in the next; the bound ends that. */
static void routers_nest_to_their_bound(gigachat_provider *service) {
    gigachat_provider *outer = service;
    gigachat_provider *routers[DEEPEST + 1];
    gigachat_error *error = NULL;
    int at;
    for (at = 0; at < DEEPEST; at++) {
        CHECK_OK(gigachat_router_new(NULL, &routers[at], NULL));
        CHECK_OK(gigachat_router_add(routers[at], outer, NULL, 0, 1, NULL, NULL));
        outer = routers[at];
    }
    CHECK_OK(gigachat_router_new(NULL, &routers[at], NULL));
    CHECK_STATUS(gigachat_router_add(routers[at], outer, NULL, 0, 1, NULL, &error),
                 GIGACHAT_ERROR_CONFIGURATION);
    CHECK(strstr(gigachat_error_message(error, NULL), "16") != NULL);
    gigachat_error_free(error);
    CHECK(answers(outer, "through sixteen routers"));
    while (at >= 0) {
        gigachat_provider_free(routers[at--]);
    }
}

/* A chain of them, each refused at once beyond the bound, whatever the order. */
static void a_long_chain_costs_no_more_than_a_short_one(void) {
    gigachat_provider *first = NULL, *before;
    int at, taken = 0;
    CHECK_OK(gigachat_router_new(NULL, &first, NULL));
    before = first;
    for (at = 0; at < CHAIN; at++) {
        gigachat_provider *router = NULL;
        gigachat_status status;
        gigachat_router_new(NULL, &router, NULL);
        status = gigachat_router_add(before, router, NULL, 0, 1, NULL, NULL);
        if (before != first) {
            gigachat_provider_free(before);
        }
        before = router;
        taken += status == GIGACHAT_OK;
    }
    gigachat_provider_free(before);
    gigachat_provider_free(first);
    CHECK(taken > 0 && taken < CHAIN);
}

static void deep_json_takes_no_stack(void) {
    static const char FRAME[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"deep\":";
    size_t depth = 100000, length = sizeof FRAME - 1;
    char *json = malloc(length + 2 * depth + 1);
    gigachat_request *request = NULL;
    if (json == NULL) {
        exit(70);
    }
    memcpy(json, FRAME, length);
    memset(json + length, '[', depth);
    memset(json + length + depth, ']', depth);
    json[length + 2 * depth] = '}';
    CHECK_OK(gigachat_request_new("chat", GIGACHAT_ZT, &request, NULL));
    CHECK_OK(gigachat_request_set_json(request, json, length + 2 * depth + 1));
    gigachat_request_free(request);
    free(json);
}

static void on_a_small_stack(void *data, gigachat_call *call, gigachat_status status) {
    static Count *ended;
    gigachat_provider *provider = open_provider();
    ended = data;
    (void)call;
    (void)status;
    routers_nest_to_their_bound(provider);
    deep_json_takes_no_stack();
    gigachat_provider_free(provider);
    count_up(ended);
}

int main(void) {
    static Count ended = COUNT_OF_NOTHING;
    gigachat_provider *provider;
    gigachat_call *call = NULL;
    begin();
    emulator_reset();
    CHECK_OK(gigachat_set_callback_stack_size(64 * 1024, NULL));
    provider = open_provider();
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_on_done(call, on_a_small_stack, &ended, NULL, NULL));
    CHECK(count_reaches(&ended, 1));
    gigachat_call_free(call);
    routers_nest_to_their_bound(provider);
    a_long_chain_costs_no_more_than_a_short_one();
    deep_json_takes_no_stack();
    gigachat_provider_free(provider);
    return finish();
}
