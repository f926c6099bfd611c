/*
 * Answers many prompts, one a line, with a window of calls in flight, into a file that survives
 * kill -9: run it again and it goes on where it was. A loop over a completion queue does that; what
 * the lines look like, which errors end the job and what a row is called is the program's business.
 *
 *     many prompts.txt answers.txt
 *
 * A line of the answers is "NUMBER ok TEXT" or "NUMBER failed MESSAGE", in the order in which they
 * came. A failed row is asked again by the next run, which appends another line. Reads
 * GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#define _POSIX_C_SOURCE 200809L /* getline, ftruncate */
#include <gigachat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 20 }; /* twice the permits of a company, so that none is ever idle */

/* The rows that are answered already, and the end of the last whole line. */
static char *done;
static size_t rows_known;

static int is_done(size_t row) { return row < rows_known && done[row]; }

static void read_answers(FILE *answers) {
    char *line = NULL;
    size_t room = 0, row;
    off_t whole = 0;
    ssize_t length;

    while ((length = getline(&line, &room, answers)) > 0 && line[length - 1] == '\n') {
        int is_ok = 0;
        whole += length;
        if (sscanf(line, "%zu ok %n", &row, &is_ok) != 1 || !is_ok) {
            continue;
        }
        if (row >= rows_known) {
            done = realloc(done, 2 * row + 1);
            if (done == NULL) {
                abort();
            }
            memset(done + rows_known, 0, 2 * row + 1 - rows_known);
            rows_known = 2 * row + 1;
        }
        done[row] = 1;
    }
    free(line);
    if (ftruncate(fileno(answers), whole) != 0) { /* a torn line is asked again */
        abort();
    }
    fseek(answers, 0, SEEK_END);
}

static void write_line(FILE *answers, size_t row, const char *outcome, const char *text) {
    fprintf(answers, "%zu %s ", row, outcome);
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\\') {
            fputc('\\', answers);
        }
        fputc(*text == '\n' ? 'n' : *text, answers);
    }
    fputc('\n', answers);
}

/* Starts the call of a row; returns NULL, and writes why, when that cannot be. */
static gigachat_call *start(const gigachat_provider *provider, gigachat_queue *queue, size_t slot, size_t row,
                            const char *prompt, size_t length, FILE *answers) {
    gigachat_call *call = NULL;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_generate_start(provider, prompt, length, NULL, &call, &error);

    if (status == GIGACHAT_OK) {
        status = gigachat_call_attach(call, queue, slot, &error);
    }
    if (status != GIGACHAT_OK) {
        write_line(answers, row, "failed", gigachat_error_message(error, NULL));
        gigachat_call_free(call);
        call = NULL;
    }
    gigachat_error_free(error);
    return call;
}

/* Writes the line of an ended call; returns 0 when the job cannot go on. */
static int write_answer(FILE *answers, size_t row, gigachat_call *call) {
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    gigachat_status status = gigachat_call_take(call, &response, &error);
    int is_hopeless = 0;

    switch (status) {
    case GIGACHAT_OK:
        write_line(answers, row, "ok", gigachat_response_text(response, NULL));
        break;
    case GIGACHAT_ERROR_AUTHENTICATION: /* no other row would fare better */
    case GIGACHAT_ERROR_PAYMENT_REQUIRED:
    case GIGACHAT_ERROR_PERMISSION_DENIED:
    case GIGACHAT_ERROR_CONFIGURATION:
        is_hopeless = 1;
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
        break;
    default:
        write_line(answers, row, "failed", gigachat_error_message(error, NULL));
    }
    gigachat_response_free(response);
    gigachat_error_free(error);
    if (fflush(answers) != 0) { /* the disk is full, for example */
        perror("answers");
        return 0;
    }
    return !is_hopeless;
}

/* The loop: starts calls while there is room in the window, writes each answer as it comes. */
static int answer_all(const gigachat_provider *provider, gigachat_queue *queue, FILE *prompts, FILE *answers) {
    gigachat_call *calls[WINDOW] = {NULL};
    size_t rows[WINDOW], next = 0, running = 0, room = 0;
    char *prompt = NULL;
    int goes_on = 1, more = 1;

    while (goes_on && (more || running > 0)) {
        uint64_t slot = 0; /* the tag of a call */
        size_t count = 0;
        while (running < WINDOW) {
            ssize_t length = getline(&prompt, &room, prompts);
            more = length > 0;
            if (!more) {
                break;
            }
            if (is_done(next++)) {
                continue;
            }
            for (slot = 0; calls[slot] != NULL; slot++) {
            }
            rows[slot] = next - 1;
            length -= prompt[length - 1] == '\n';
            calls[slot] = start(provider, queue, slot, rows[slot], prompt, (size_t)length, answers);
            running += calls[slot] != NULL;
        }
        if (running > 0 && gigachat_queue_take(queue, -1, &slot, 1, &count, NULL) == GIGACHAT_OK) {
            goes_on = write_answer(answers, rows[slot], calls[slot]);
            gigachat_call_free(calls[slot]);
            calls[slot] = NULL;
            running--;
        }
    }
    for (size_t slot = 0; slot < WINDOW; slot++) {
        gigachat_call_free(calls[slot]); /* cancels what still runs */
    }
    free(prompt);
    return goes_on;
}

int main(int count, char **arguments) {
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_queue *queue = NULL;
    gigachat_error *error = NULL;
    FILE *prompts = count == 3 ? fopen(arguments[1], "r") : NULL;
    FILE *answers = count == 3 ? fopen(arguments[2], "a+") : NULL;
    int is_well = 0;

    if (prompts == NULL || answers == NULL) {
        fprintf(stderr, "usage: many prompts.txt answers.txt\n");
        return 2;
    }
    gigachat_status status = gigachat_config_from_env(&config, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_provider_new(config, &provider, &error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_queue_new(&queue, &error);
    }
    if (status == GIGACHAT_OK) {
        read_answers(answers);
        is_well = answer_all(provider, queue, prompts, answers);
    } else {
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }
    gigachat_error_free(error);
    gigachat_queue_free(queue);
    gigachat_provider_free(provider);
    gigachat_config_free(config);
    gigachat_shutdown(5000, NULL);
    fclose(prompts);
    fclose(answers);
    free(done);
    return is_well ? 0 : 1;
}
