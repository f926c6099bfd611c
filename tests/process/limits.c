/*
 * No descriptor or no thread to be had is a status, never a crash, and the library works again
 * when there are some.
 *
 * Thread limits do not bind root, so the children become nobody.
 */
#include "../c/fixture.h"

#include <grp.h>
#include <sys/resource.h>

static char *ca_bundle; /* read as root: nobody may not */

static void read_ca_bundle(void) {
    FILE *file = fopen(getenv("GIGACHAT_CA_BUNDLE_FILE"), "r");
    ca_bundle = calloc(1, 1 << 20);
    if (file == NULL || ca_bundle == NULL || fread(ca_bundle, 1, (1 << 20) - 1, file) == 0) {
        exit(70);
    }
    fclose(file);
    unsetenv("GIGACHAT_CA_BUNDLE_FILE");
}

static gigachat_provider *provider_with_bundle(void) {
    gigachat_config *config = open_config();
    gigachat_provider *provider = NULL;
    CHECK_OK(gigachat_config_set(config, "ca_bundle_pem", GIGACHAT_ZT, ca_bundle, GIGACHAT_ZT));
    CHECK_OK(gigachat_config_set_max_retries(config, 0));
    CHECK_OK(gigachat_provider_new(config, &provider, NULL));
    gigachat_config_free(config);
    return provider;
}

static void set_limit(int which, rlim_t value) {
    struct rlimit limit;
    CHECK(getrlimit((__rlimit_resource_t)which, &limit) == 0);
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    CHECK(setrlimit((__rlimit_resource_t)which, &limit) == 0);
}

static Count destroyed = COUNT_OF_NOTHING;

static void nothing(void *data, gigachat_call *call, gigachat_status status) {
    (void)data;
    (void)call;
    (void)status;
}

static void note_destroy(void *data) {
    (void)data;
    count_up(&destroyed);
}

/* What this process has run out of is no member's fault: nobody cools, nobody is unwell. */
static int try_router(gigachat_provider *member, const char *strategy) {
    gigachat_router_options *options = NULL;
    gigachat_provider *router = NULL;
    gigachat_response *response = NULL;
    gigachat_text *json = NULL;
    gigachat_status status;
    const char *text;
    CHECK_OK(gigachat_router_options_new(&options, NULL));
    CHECK_OK(gigachat_router_options_set(options, "strategy", GIGACHAT_ZT, strategy, GIGACHAT_ZT));
    CHECK_OK(gigachat_router_new(options, &router, NULL));
    CHECK_OK(gigachat_router_add(router, member, "one", GIGACHAT_ZT, 1, NULL, NULL));
    CHECK_OK(gigachat_router_add(router, member, "two", GIGACHAT_ZT, 1, NULL, NULL));
    status = gigachat_generate(router, "x", 1, NULL, NULL, &response, NULL);
    CHECK(status == GIGACHAT_OK || status == GIGACHAT_ERROR_INTERNAL);
    CHECK_OK(gigachat_router_metrics_json(router, &json, NULL));
    text = gigachat_text_data(json, NULL);
    if (!CHECK(strstr(text, "\"cooldown_ms\":null") != NULL && strstr(text, "\"unhealthy\"") == NULL &&
               strstr(text, "\"kind\"") == NULL)) {
        puts(text);
    }
    gigachat_text_free(json);
    gigachat_response_free(response);
    gigachat_provider_free(router);
    gigachat_router_options_free(options);
    return status == GIGACHAT_OK;
}

/* Uses everything that needs a descriptor or thread; any status with a text will do. Returns
 * whether all of it succeeded. */
static int try_all(gigachat_provider *provider) {
    gigachat_response *response = NULL;
    gigachat_queue *queue = NULL;
    gigachat_stream *stream = NULL;
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    gigachat_status status, called;
    int good = 1, texts;
    good &= try_router(provider, "round-robin");
    good &= try_router(provider, "first-available");
    status = gigachat_generate(provider, "x", 1, NULL, NULL, &response, &error);
    good &= status == GIGACHAT_OK;
    CHECK(status == GIGACHAT_OK || status == GIGACHAT_ERROR_INTERNAL);
    CHECK((error != NULL) == (status != GIGACHAT_OK));
    if (error != NULL) {
        CHECK(strlen(gigachat_error_message(error, NULL)) > 0);
    }
    gigachat_error_free(error);
    gigachat_response_free(response);
    status = gigachat_queue_new(&queue, NULL);
    CHECK(status == GIGACHAT_OK || status == GIGACHAT_ERROR_INTERNAL);
    good &= status == GIGACHAT_OK;
    gigachat_queue_free(queue);
    if (gigachat_generate_stream(provider, "count to 3", GIGACHAT_ZT, NULL, &stream, NULL) ==
        GIGACHAT_OK) {
        status = read_to_end(stream, &texts);
        good &= status == GIGACHAT_STREAM_END;
        gigachat_stream_free(stream);
    }
    if (gigachat_generate_start(provider, "x", 1, NULL, &call, NULL) == GIGACHAT_OK) {
        int before = count_now(&destroyed);
        called = gigachat_call_on_done(call, nothing, NULL, note_destroy, NULL);
        CHECK_OK(gigachat_call_wait(call, -1, NULL));
        gigachat_call_free(call);
        /* Without a thread for it, a callback runs in the shutdown at the latest. */
        CHECK_OK(gigachat_shutdown(60000, NULL));
        CHECK(count_now(&destroyed) == before + (called == GIGACHAT_OK));
    }
    return good;
}

/* In a child of its own: with the limit, then without. Returns whether it was felt. */
static int with_limit(int which, rlim_t value, int warm) {
    int status = 0;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        gigachat_provider *provider;
        int felt;
        checks_failed = 0;
        alarm(hang_seconds() / 2);
        if (geteuid() == 0 && which == RLIMIT_NPROC) {
            CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
        }
        provider = provider_with_bundle();
        if (warm) {
            CHECK(answers(provider, "warm"));
        }
        set_limit(which, value);
        felt = !try_all(provider);
        set_limit(which, RLIM_INFINITY);
        CHECK(answers(provider, "again"));
        gigachat_provider_free(provider);
        CHECK_OK(gigachat_shutdown(60000, NULL));
        CHECK(gigachat_live_handles() == 0);
        fflush(stdout);
        _exit(checks_failed != 0 ? 3 : felt ? 1 : 0);
    }
    waitpid(child, &status, 0);
    if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) <= 1)) {
        printf("limit %d of %d, warm %d: wait status %x\n", (int)value, which, warm,
               (unsigned)status);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

int main(void) {
    int felt = 0, threads_felt = 0, warm;
    rlim_t value;
    begin();
    emulator_reset();
    read_ca_bundle();
    for (warm = 0; warm < 2; warm++) {
        for (value = 0; value < 14; value += getenv("GIGACHAT_TEST_SLOWNESS") ? 3 : 1) {
            felt += with_limit(RLIMIT_NOFILE, value, warm);
        }
        for (value = 0; value < 5; value++) {
            threads_felt += with_limit(RLIMIT_NPROC, value, warm);
        }
    }
    printf("felt: %d descriptor limits, %d thread limits\n", felt, threads_felt);
    CHECK(felt > 2);
    CHECK(threads_felt > 2);
    free(ca_bundle);
    return finish();
}
