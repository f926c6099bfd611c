/*
 * A program that closes every descriptor above its own three, as one that becomes a daemon does:
 * what was under way ends with a status that says why, what comes later is answered.
 */
#include "../c/fixture.h"

#include <fcntl.h>

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

/* `error` is freed. */
static void says_that_it_was_closed(gigachat_status status, gigachat_error **error) {
    CHECK_STATUS(status, GIGACHAT_ERROR_INTERNAL);
    CHECK(*error != NULL &&
          strstr(gigachat_error_message(*error, NULL), "closed by the program") != NULL);
    gigachat_error_free(*error);
}

/* A file that gets the number of the queue's descriptor is not the library's to read or write. */
static void a_queue_says_that_its_descriptor_was_closed(gigachat_provider *provider) {
    gigachat_queue *queue = NULL;
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    int64_t descriptor = -1, number = -1;
    uint64_t tag = 0;
    size_t count = 0;
    char path[] = "/tmp/gigachat-closed-XXXXXX";
    int file;
    CHECK_OK(gigachat_queue_new(&queue, NULL));
    CHECK_OK(gigachat_queue_descriptor(queue, &descriptor, NULL));
    close((int)descriptor);
    file = mkstemp(path);
    unlink(path);
    CHECK(dup2(file, (int)descriptor) == (int)descriptor);
    says_that_it_was_closed(gigachat_queue_take(queue, -1, &tag, 1, &count, &error), &error);
    says_that_it_was_closed(gigachat_queue_descriptor(queue, &number, &error), &error);
    /* Nothing that arrives is lost. */
    CHECK_OK(gigachat_generate_start(provider, "x", 1, NULL, &call, NULL));
    CHECK_OK(gigachat_call_attach(call, queue, 7, NULL));
    CHECK_OK(gigachat_call_wait(call, -1, NULL));
    while (gigachat_queue_take(queue, 0, &tag, 1, &count, NULL) != GIGACHAT_OK) {
        usleep(1000);
    }
    CHECK(tag == 7);
    CHECK(lseek(file, 0, SEEK_END) == 0);
    gigachat_queue_free(queue);
    CHECK(fcntl(file, F_GETFD) >= 0);
    if (file != (int)descriptor) {
        close((int)descriptor);
    }
    close(file);
    gigachat_call_free(call);
}

/* Argument: how many threads do the I/O. */
int main(int count, char **arguments) {
    gigachat_provider *provider;
    int io_threads = count > 1 ? atoi(arguments[1]) : 1;
    begin();
    emulator_reset();
    CHECK_OK(gigachat_set_io_threads((size_t)io_threads, NULL));
    provider = open_provider();
    a_queue_says_that_its_descriptor_was_closed(provider);
    if (count > 2 && strcmp(arguments[2], "queue") == 0) {
        gigachat_provider_free(provider);
        return finish();
    }
    the_next_call_but_one_is_answered(provider);
    what_is_under_way_ends_and_says_why(provider);
    gigachat_provider_free(provider);
    return finish();
}
