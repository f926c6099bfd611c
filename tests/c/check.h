/*
 * What every C test begins with: CHECK counts and prints where it failed, finish() ends the program.
 *
 * Not a framework: a test is a program, its main is its table of contents, its exit status the
 * verdict. A program that hangs is ended by its alarm.
 */
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <gigachat.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int checks_passed;
static int checks_failed;

/* Relaxed, so that counting orders nothing between the threads that check. */
static inline int check_that(int good, const char *what, const char *file, int line) {
    if (good) {
        __atomic_fetch_add(&checks_passed, 1, __ATOMIC_RELAXED);
    } else {
        __atomic_fetch_add(&checks_failed, 1, __ATOMIC_RELAXED);
        printf("%s:%d: FAILED: %s\n", file, line, what);
        fflush(stdout);
    }
    return good;
}

static inline int check_status(gigachat_status got, gigachat_status wanted, const char *what,
                               const char *file, int line) {
    char text[512];
    snprintf(text, sizeof text, "%s is %s, not %s", what, gigachat_status_name(got),
             gigachat_status_name(wanted));
    return check_that(got == wanted, text, file, line);
}

#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_STATUS(call, wanted) check_status((call), (wanted), #call, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK_STATUS(call, GIGACHAT_OK)

/* Prints an unexpected error and frees it; use it where NULL is right. */
static inline int check_no_error(gigachat_error *error, const char *file, int line) {
    const char *message = error == NULL ? NULL : gigachat_error_message(error, NULL);
    int good = check_that(error == NULL, message == NULL ? "no error" : message, file, line);
    gigachat_error_free(error);
    return good;
}
#define CHECK_NO_ERROR(error) check_no_error((error), __FILE__, __LINE__)

/* How often to repeat something: as written, or less where GIGACHAT_TEST_SLOWNESS says that the
 * program runs under a tool that makes it slow. */
static inline int rounds(int wanted) {
    const char *slowness = getenv("GIGACHAT_TEST_SLOWNESS");
    int less = slowness == NULL ? wanted : wanted / atoi(slowness);
    return less < 2 ? 2 : less;
}

static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A program that lasts longer hangs, also on a machine with fifteen others at work. */
static inline unsigned hang_seconds(void) {
    return getenv("GIGACHAT_TEST_SLOWNESS") == NULL ? 300 : 900;
}

static inline void begin(void) {
    alarm(hang_seconds());
}

/* The verdict of the checks so far, for programs that end in their own way. */
static inline int verdict(void) {
    printf("%d passed, %d failed\n", checks_passed, checks_failed);
    fflush(stdout);
    return checks_failed == 0 && checks_passed > 0 ? 0 : 1;
}

/* The end of an orderly program: nothing is left, the library has stopped. */
static inline int finish(void) {
    CHECK_OK(gigachat_shutdown(60000, NULL));
    CHECK(gigachat_live_handles() == 0);
    return verdict();
}

#endif
