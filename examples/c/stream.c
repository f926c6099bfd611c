/*
 * Prints an answer while it is being written: a stream, read event by event.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#include <gigachat.h>
#include <stdio.h>

/* Reads the stream to its end; returns how it ended. */
static gigachat_status print_events(gigachat_stream *stream, gigachat_error **error) {
    gigachat_event *event = NULL;
    gigachat_status status;

    while ((status = gigachat_stream_next(stream, -1, &event, error)) == GIGACHAT_OK) {
        switch (gigachat_event_kind(event)) {
        case GIGACHAT_EVENT_TEXT:
            fputs(gigachat_event_text(event, NULL), stdout);
            fflush(stdout);
            break;
        case GIGACHAT_EVENT_USAGE:
            printf("\n[%lld tokens]\n", (long long)gigachat_event_total_tokens(event));
            break;
        default:
            break; /* function calls, progress, and what newer versions add */
        }
        gigachat_event_free(event);
    }
    return status;
}

int main(int argc, char **argv) {
    const char *prompt = argc > 1 ? argv[1] : "Count to 20";
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_stream *stream = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = gigachat_config_from_env(&config, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_provider_new(config, &provider, &error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_generate_stream(provider, prompt, GIGACHAT_ZT, NULL, &stream, &error);
    }
    if (status == GIGACHAT_OK) {
        status = print_events(stream, &error);
    }
    if (status != GIGACHAT_STREAM_END) {
        fprintf(stderr, "\n%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }

    gigachat_error_free(error);
    gigachat_stream_free(stream);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    gigachat_shutdown(5000, NULL);
    return status == GIGACHAT_STREAM_END ? 0 : 1;
}
