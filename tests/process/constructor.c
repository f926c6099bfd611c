/*
 * A shared object whose constructor makes the library's first call, while the dynamic loader holds
 * its lock: a thread of the library cannot start until that is released. The call returns, with a
 * status that says why, and the next one after the constructor is answered.
 *
 * Compiled twice: with OBJECT it is that shared object, without it the program that loads it.
 */
#include "../c/fixture.h"

#include <dlfcn.h>
#include <semaphore.h>

#ifdef OBJECT

gigachat_status status_in_constructor = -1;
char message_in_constructor[1024];

__attribute__((constructor)) static void call_the_library(void) {
    gigachat_provider *provider = open_provider();
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    status_in_constructor = gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error);
    if (error != NULL) {
        snprintf(message_in_constructor, sizeof message_in_constructor, "%s",
                 gigachat_error_message(error, NULL));
    }
    gigachat_error_free(error);
    gigachat_response_free(response);
    gigachat_provider_free(provider);
}

#else

static void never_returns(void *data) {
    sem_wait(data);
}

static int is_of_the_start(gigachat_error *error, const char *limit) {
    int good = error != NULL && strcmp(gigachat_error_phase(error, NULL), "start") == 0 &&
               strstr(gigachat_error_message(error, NULL), limit) != NULL;
    gigachat_error_free(error);
    return good;
}

static void the_start_takes_no_longer_than_the_callers_own_limit(gigachat_provider *provider) {
    gigachat_request *request = open_request("x", NULL);
    gigachat_response *response = NULL;
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(set_ms(request, "timeout", 310));
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error),
                 GIGACHAT_ERROR_TIMEOUT);
    CHECK(is_of_the_start(error, " 310 ms"));
    CHECK_STATUS(gigachat_start(provider, request, &call, &error), GIGACHAT_ERROR_TIMEOUT);
    CHECK(call == NULL && is_of_the_start(error, " 310 ms"));
    CHECK_STATUS(gigachat_health_check(provider, 120, NULL, NULL, &error), GIGACHAT_ERROR_TIMEOUT);
    CHECK(is_of_the_start(error, " 120 ms"));
    gigachat_request_free(request);
}

static void a_limit_of_the_configuration_counts_beside_a_longer_deadline(void) {
    gigachat_config *config = open_config();
    gigachat_request *request = open_request("x", NULL);
    gigachat_provider *provider = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    CHECK_OK(gigachat_config_set_timeout_ms(config, 250));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    CHECK_OK(set_ms(request, "deadline", 9000));
    CHECK_STATUS(gigachat_perform(provider, request, NULL, &response, &error),
                 GIGACHAT_ERROR_TIMEOUT);
    CHECK(is_of_the_start(error, " 250 ms"));
    gigachat_provider_free(provider);
    gigachat_request_free(request);
    gigachat_config_free(config);
}

/* A hook of the host's that hangs holds up no caller either. */
static void a_thread_hook_that_hangs_holds_up_nobody(void) {
    static sem_t go_on;
    int hung;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_provider *provider = open_provider();
    double begun = seconds_now();
    sem_init(&go_on, 0, 0);
    CHECK_OK(gigachat_set_thread_hooks(never_returns, NULL, &go_on, NULL));
    CHECK_STATUS(gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error),
                 GIGACHAT_ERROR_TIMEOUT);
    CHECK(strstr(gigachat_error_message(error, NULL), "hook") != NULL);
    CHECK(seconds_now() - begun < 30);
    gigachat_error_free(error);
    the_start_takes_no_longer_than_the_callers_own_limit(provider);
    a_limit_of_the_configuration_counts_beside_a_longer_deadline();
    CHECK_OK(gigachat_set_thread_hooks(NULL, NULL, NULL, NULL));
    for (hung = 0; hung < 5; hung++) {
        sem_post(&go_on);
    }
    CHECK(answers(provider, "after a hook that hung"));
    gigachat_provider_free(provider);
}

int main(int count, char **arguments) {
    gigachat_provider *provider;
    gigachat_status *status;
    void *object;
    begin();
    emulator_reset();
    object = dlopen(count > 1 ? arguments[1] : "", RTLD_NOW);
    CHECK(object != NULL);
    if (object != NULL) {
        status = dlsym(object, "status_in_constructor");
        CHECK_STATUS(*status, GIGACHAT_ERROR_TIMEOUT);
        CHECK(strstr(dlsym(object, "message_in_constructor"), "loader's lock") != NULL);
    }
    provider = open_provider();
    CHECK(answers(provider, "after the constructor"));
    gigachat_provider_free(provider);
    CHECK_OK(gigachat_shutdown(60000, NULL));
    a_thread_hook_that_hangs_holds_up_nobody();
    return finish();
}

#endif
