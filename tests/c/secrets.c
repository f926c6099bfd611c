/*
 * I13. With the log at its most verbose, everything that can be done is done; neither a log record nor an
 * error nor standard error holds a key, a token, a password, a header's value or a prompt.
 */
#include "fixture.h"

#include <fcntl.h>

#define PASSWORD "MARKED-PASSWORD"
/* The same in base64, which a password is sent in. */
#define ENCODED "TUFSS0VELVBBU1NXT1JE"
#define HEADER "MARKED-HEADER-VALUE"
#define PROMPT "MARKED-PROMPT"

/* Everything that was said, one behind the other. */
static struct {
    pthread_mutex_t lock;
    char *text;
    size_t length;
    size_t records;
} said = {PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0};

static void say(const char *text) {
    size_t length = text == NULL ? 0 : strlen(text);
    pthread_mutex_lock(&said.lock);
    said.text = realloc(said.text, said.length + length + 2);
    if (said.text == NULL) {
        exit(70);
    }
    memcpy(said.text + said.length, text == NULL ? "" : text, length);
    memcpy(said.text + said.length + length, "\n", 2);
    said.length += length + 1;
    pthread_mutex_unlock(&said.lock);
}

static void note_record(void *data, gigachat_log_level level, const char *target,
                        const char *message) {
    (void)data;
    (void)level;
    say(target);
    say(message);
    __atomic_fetch_add(&said.records, 1, __ATOMIC_SEQ_CST);
}

/* What an error tells; it is freed. Its body and partial text are the service's words, which may be the
 * prompt's: SECURITY.md. */
static void say_error(gigachat_error *error) {
    say(gigachat_error_message(error, NULL));
    say(gigachat_error_kind(error, NULL));
    say(gigachat_error_phase(error, NULL));
    say(gigachat_error_request_id(error, NULL));
    gigachat_error_free(error);
}

static gigachat_config *marked_config(void) {
    gigachat_config *config = open_config();
    CHECK_OK(gigachat_config_set(config, "extra_headers", GIGACHAT_ZT, "x-gateway: " HEADER,
                                 GIGACHAT_ZT));
    CHECK_OK(gigachat_config_set(config, "private_key_password", GIGACHAT_ZT, PASSWORD, GIGACHAT_ZT));
    CHECK_OK(gigachat_config_set_max_retries(config, 0));
    return config;
}

static void ask_everything(const gigachat_provider *provider) {
    static const char *const faults[] = {
        NULL,
        "{\"type\": \"status\", \"code\": 400}",
        "{\"type\": \"status\", \"code\": 401}",
        "{\"type\": \"status\", \"code\": 429}",
        "{\"type\": \"html_error\", \"code\": 502}",
        "{\"type\": \"redirect\", \"to\": \"https://elsewhere.example/\"}",
        "{\"type\": \"cut_before_answer\", \"reset\": true}",
        "{\"type\": \"cut_after\", \"chunks\": 1}",
        "{\"type\": \"truncated_json\", \"bytes\": 30}",
        "{\"type\": \"garbage_event\", \"after\": 1}",
        "{\"type\": \"error_event\", \"after\": 1}",
        "{\"type\": \"content_encoding_gzip\"}",
        "{\"type\": \"omit_done\"}",
    };
    gigachat_error *error = NULL;
    gigachat_response *models = NULL;
    size_t i;
    for (i = 0; i < sizeof faults / sizeof *faults; i++) {
        gigachat_request *request = open_request(PROMPT, faults[i]);
        gigachat_response *response = NULL;
        gigachat_stream *stream = NULL;
        gigachat_event *event = NULL;
        gigachat_perform(provider, request, NULL, &response, &error);
        say_error(error);
        gigachat_response_free(response);
        if (gigachat_open(provider, request, &stream, &error) == GIGACHAT_OK) {
            while (gigachat_stream_next(stream, -1, &event, &error) == GIGACHAT_OK) {
                gigachat_event_free(event);
            }
        }
        say_error(error);
        gigachat_stream_free(stream);
        gigachat_request_free(request);
    }
    gigachat_health_check(provider, -1, NULL, NULL, &error);
    say_error(error);
    ask_for(provider, "models", NULL, &models, &error);
    say_error(error);
    gigachat_response_free(models);
}

static void ask_and_free(gigachat_config *config) {
    gigachat_provider *provider = NULL;
    gigachat_error *error = NULL;
    if (gigachat_provider_new(config, &provider, &error) == GIGACHAT_OK) {
        ask_everything(provider);
    }
    say_error(error);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
}

static void everything_fails_in_its_way(void) {
    gigachat_config *config = marked_config();
    CHECK_OK(gigachat_config_set_proxy(config, "http://" PASSWORD ":" PASSWORD "@127.0.0.1:1", GIGACHAT_ZT));
    ask_and_free(config);

    config = marked_config();
    CHECK_OK(gigachat_config_set_token_url(config, "https://127.0.0.1:1/oauth", GIGACHAT_ZT));
    ask_and_free(config);

    /* The emulator's certificate is not known without its root. */
    CHECK_OK(gigachat_config_new(&config, NULL));
    CHECK_OK(gigachat_config_set_base_url(config, getenv("GIGACHAT_BASE_URL"), GIGACHAT_ZT));
    CHECK_OK(gigachat_config_set_token_url(config, getenv("GIGACHAT_AUTH_URL"), GIGACHAT_ZT));
    CHECK_OK(gigachat_config_set_user(config, "someone", GIGACHAT_ZT, PASSWORD, GIGACHAT_ZT));
    ask_and_free(config);
}

static void a_router_lists_its_members_failures(void) {
    gigachat_router_options *options = NULL;
    gigachat_provider *router = NULL, *member = NULL;
    gigachat_text *text = NULL;
    gigachat_config *config = marked_config();
    CHECK_OK(gigachat_config_set_token_url(config, "https://127.0.0.1:1/oauth", GIGACHAT_ZT));
    CHECK_OK(gigachat_provider_new(config, &member, NULL));
    CHECK_OK(gigachat_router_options_new(&options, NULL));
    CHECK_OK(gigachat_router_new(options, &router, NULL));
    CHECK_OK(gigachat_router_add(router, member, "member", GIGACHAT_ZT, 1, NULL, NULL));
    ask_everything(router);
    CHECK_OK(gigachat_router_metrics_json(router, &text, NULL));
    say(gigachat_text_data(text, NULL));
    gigachat_text_free(text);
    gigachat_router_options_free(options);
    gigachat_provider_free(router);
    gigachat_provider_free(member);
    gigachat_config_free(config);
}

static void refused_input_is_not_repeated(void) {
    static const char *const REFUSED[][2] = {
        {"authorization_key", "not a key: " PASSWORD},
        {"proxy", PASSWORD "://" PASSWORD},
        {"extra_headers", "x-a: " HEADER "\x01"},
        {"extra_headers", HEADER},
    };
    size_t at;
    for (at = 0; at < sizeof REFUSED / sizeof REFUSED[0]; at++) {
        gigachat_error *error = NULL;
        gigachat_provider *provider = NULL;
        gigachat_config *config = open_config();
        gigachat_config_set(config, REFUSED[at][0], GIGACHAT_ZT, REFUSED[at][1], GIGACHAT_ZT);
        gigachat_provider_new(config, &provider, &error);
        CHECK(error != NULL);
        say_error(error);
        gigachat_config_free(config);
    }
}

static void check_absent(const char *secret) {
    CHECK(strlen(secret) > 8);
    CHECK(strstr(said.text, secret) == NULL);
}

/* Keys and tokens, as the emulator was shown them. */
static int check_what_was_sent(const char *scheme) {
    size_t room = 32u << 20;
    char *requests = calloc(room, 1);
    char secret[4096];
    const char *at = requests;
    int found = 0;
    CHECK(requests != NULL && control("GET", "requests", "", requests, room) == 200);
    while (at != NULL && (at = strstr(at, scheme)) != NULL) {
        size_t length = strcspn(at += strlen(scheme), "\"");
        if (length < sizeof secret) {
            memcpy(secret, at, length);
            secret[length] = '\0';
            check_absent(secret);
            /* A part of it is a secret as well. */
            check_absent(secret + length - 24);
            found++;
        }
    }
    free(requests);
    return found;
}

int main(void) {
    char errors[65536] = "";
    char name[] = "/tmp/gigachat-secrets-XXXXXX";
    int file = mkstemp(name);
    ssize_t length;
    begin();
    CHECK(file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
    unlink(name);
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_TRACE, note_record, NULL, NULL, NULL));
    ask_and_free(marked_config());
    emulator_revoke_tokens();
    ask_and_free(marked_config());
    everything_fails_in_its_way();
    a_router_lists_its_members_failures();
    refused_input_is_not_repeated();
    CHECK_OK(gigachat_shutdown(60000, NULL));
    CHECK_OK(gigachat_set_log_callback(GIGACHAT_LOG_OFF, NULL, NULL, NULL, NULL));
    length = pread(file, errors, sizeof errors - 1, 0);
    CHECK(length >= 0);
    say(errors);

    CHECK(said.records > 40);
    check_absent(PASSWORD);
    check_absent(ENCODED);
    check_absent(HEADER);
    check_absent(PROMPT);
    check_absent(getenv("GIGACHAT_CREDENTIALS"));
    CHECK(check_what_was_sent("Basic ") >= 1);
    CHECK(check_what_was_sent("Bearer ") >= 20);
    free(said.text);
    return finish();
}
