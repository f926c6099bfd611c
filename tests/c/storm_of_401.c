/*
 * All tokens are revoked while a hundred requests are in flight and a hundred more follow: one
 * refresh, no failure (I1).
 *
 * The first hundred are being answered at the revocation; those that follow come with the old
 * token and get 401.
 */
#include "fixture.h"

#define CALLS 100

int main(void) {
    gigachat_call *calls[2 * CALLS];
    gigachat_provider *provider;
    gigachat_request *slow;
    int count = rounds(CALLS), answered = 0, before, at;
    begin();
    emulator_reset();
    provider = open_provider();
    CHECK(answers(provider, "warm"));
    before = emulator_counter("token_requests");
    slow = open_request("repeat: slow", "{\"type\": \"delay_headers\", \"ms\": 1000}");
    for (at = 0; at < count; at++) {
        CHECK_OK(gigachat_start(provider, slow, &calls[at], NULL));
    }
    CHECK(emulator_wait("in_flight", count, ANY));
    emulator_revoke_tokens();
    for (at = count; at < 2 * count; at++) {
        CHECK_OK(gigachat_generate_start(provider, "repeat: slow", GIGACHAT_ZT, NULL, &calls[at],
                                         NULL));
    }
    for (at = 0; at < 2 * count; at++) {
        gigachat_response *response = NULL;
        gigachat_error *error = NULL;
        CHECK_OK(gigachat_call_wait(calls[at], -1, NULL));
        CHECK_OK(gigachat_call_take(calls[at], &response, &error));
        CHECK_NO_ERROR(error);
        answered += response != NULL;
        gigachat_response_free(response);
        gigachat_call_free(calls[at]);
    }
    CHECK(answered == 2 * count);
    printf("%d calls met 401\n", emulator_counter("rejected_401"));
    CHECK(emulator_counter("rejected_401") >= 1);
    CHECK(emulator_counter("token_requests") == before + 1);
    gigachat_request_free(slow);
    gigachat_provider_free(provider);
    return finish();
}
