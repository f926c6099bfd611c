/*
 * A program that closes every descriptor above its own three, as one that becomes a daemon does:
 * what was under way ends with a status that says why, what comes later is answered.
 */
#include "../c/fixture.h"

static void close_all_but_ours(void) {
    int at;
    for (at = 3; at < 256; at++) {
        close(at);
    }
}

/* Asks until there is an answer; returns how many questions that took. */
static int questions_until_an_answer(gigachat_provider *provider) {
    int asked = 0, good = 0;
    while (!good && asked < 10) {
        gigachat_response *response = NULL;
        gigachat_error *error = NULL;
        gigachat_status status =
            gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error);
        good = status == GIGACHAT_OK;
        CHECK(good || status == GIGACHAT_ERROR_INTERNAL);
        CHECK(good || strstr(gigachat_error_message(error, NULL), "closed a descriptor") != NULL);
        gigachat_error_free(error);
        gigachat_response_free(response);
        asked += 1;
    }
    return asked;
}

static void the_next_call_but_one_is_answered(gigachat_provider *provider) {
    int round;
    for (round = 0; round < 3; round++) {
        CHECK(answers(provider, "before"));
        close_all_but_ours();
        CHECK(questions_until_an_answer(provider) <= 2);
        CHECK(answers(provider, "after"));
    }
    CHECK_OK(gigachat_shutdown(60000, NULL));
    CHECK(answers(provider, "after a shutdown"));
}

static void what_is_under_way_ends_and_says_why(gigachat_provider *provider) {
    gigachat_call *call = start_endless(provider);
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK(emulator_wait("in_flight", 1, 1));
    close_all_but_ours();
    CHECK_OK(gigachat_call_wait(call, 30000, NULL));
    CHECK_STATUS(gigachat_call_take(call, &response, &error), GIGACHAT_ERROR_INTERNAL);
    CHECK(strstr(gigachat_error_message(error, NULL), "closed a descriptor") != NULL);
    gigachat_error_free(error);
    gigachat_call_free(call);
    CHECK(questions_until_an_answer(provider) <= 2);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    the_next_call_but_one_is_answered(provider);
    what_is_under_way_ends_and_says_why(provider);
    gigachat_provider_free(provider);
    return finish();
}
