/*
 * Prints an answer while it is being written: a stream, read piece by piece.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#include <gigachat.h>
#include <stdio.h>

/* Prints the stream to its end; returns how it ended. gigachat_stream_next gives what is no text. */
static gigachat_status print_text(gigachat_stream *stream, gigachat_error **error) {
    const char *text = NULL;
    gigachat_status status;

    while ((status = gigachat_stream_next_text(stream, -1, &text, NULL, error)) == GIGACHAT_OK) {
        fputs(text, stdout);
        fflush(stdout);
    }
    return status;
}

int main(int argc, char **argv) {
    const char *prompt = argc > 1 ? argv[1] : "Count to 20";
    gigachat_provider *provider = NULL;
    gigachat_stream *stream = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = gigachat_provider_from_env(&provider, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_generate_stream(provider, prompt, GIGACHAT_ZT, NULL, &stream, &error);
    }
    if (status == GIGACHAT_OK) {
        status = print_text(stream, &error);
    }
    if (status == GIGACHAT_STREAM_END) {
        status = gigachat_stream_response(stream, &response, &error);
    }
    if (status == GIGACHAT_OK) {
        printf("\n[%lld tokens, finish reason %s]\n", (long long)gigachat_response_total_tokens(response),
               gigachat_response_finish_reason(response, NULL));
    } else {
        fprintf(stderr, "\n%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }

    gigachat_error_free(error);
    gigachat_response_free(response);
    gigachat_stream_free(stream);
    gigachat_provider_free(provider);
    gigachat_shutdown(5000, NULL);
    return status == GIGACHAT_OK ? 0 : 1;
}
