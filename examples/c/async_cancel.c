/*
 * Asks three questions at once, waits for them in one place, and cancels the third: a completion
 * queue. Its descriptor (gigachat_queue_descriptor) fits into epoll, poll or any event loop; this
 * program simply waits for the queue itself.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#include <gigachat.h>
#include <stdio.h>

enum { QUESTIONS = 3 };

static const char *const prompts[QUESTIONS] = {"What is C?", "What is a thread?", "Write 5000 tokens"};

/* Takes the result of an ended call and prints it. */
static void print_result(size_t question, gigachat_call *call) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_call_take(call, &response, &error);

    if (status == GIGACHAT_OK) {
        printf("%zu: %s\n", question, gigachat_response_text(response, NULL));
    } else if (status == GIGACHAT_ERROR_CANCELLED) {
        printf("%zu: cancelled\n", question);
    } else {
        printf("%zu: %s\n", question, gigachat_error_message(error, NULL));
    }
    gigachat_response_free(response);
    gigachat_error_free(error);
}

/* Starts the calls, cancels the last one, and prints each as it ends. */
static gigachat_status ask_all(const gigachat_provider *provider, gigachat_queue *queue, gigachat_error **error) {
    gigachat_call *calls[QUESTIONS] = {NULL};
    gigachat_status status = GIGACHAT_OK;
    size_t started = 0;

    for (; started < QUESTIONS && status == GIGACHAT_OK; started++) {
        status = gigachat_generate_start(provider, prompts[started], GIGACHAT_ZT, NULL, &calls[started], error);
        if (status == GIGACHAT_OK) {
            status = gigachat_call_attach(calls[started], queue, started, error);
        }
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_call_cancel(calls[QUESTIONS - 1], error); /* returns at once */
    }
    for (size_t ended = 0; ended < QUESTIONS && status == GIGACHAT_OK; ended++) {
        uint64_t question = 0; /* the tag that was attached */
        size_t count = 0;
        status = gigachat_queue_take(queue, -1, &question, 1, &count, error);
        if (status == GIGACHAT_OK) {
            print_result((size_t)question, calls[question]);
        }
    }
    for (size_t i = 0; i < QUESTIONS; i++) {
        gigachat_call_free(calls[i]);
    }
    return status;
}

int main(void) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_queue *queue = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = gigachat_config_from_env(&config, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_provider_new(config, &provider, &error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_queue_new(&queue, &error);
    }
    if (status == GIGACHAT_OK) {
        status = ask_all(provider, queue, &error);
    }
    if (status != GIGACHAT_OK) {
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }

    gigachat_error_free(error);
    gigachat_queue_free(queue);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    gigachat_shutdown(5000, NULL);
    return status == GIGACHAT_OK ? 0 : 1;
}
