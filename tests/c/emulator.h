/*
 * The emulator's control endpoints from C: counters, waits for events, revoked tokens.
 *
 * A client of its own over a plain socket, so that what is asked here is not what is tested.
 */
#ifndef EMULATOR_H
#define EMULATOR_H

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static inline int control_connect(void) {
    const char *url = getenv("GIGACHAT_EMULATOR_CONTROL");
    const char *colon = url == NULL ? NULL : strrchr(url, ':');
    struct sockaddr_in address;
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(colon == NULL ? 0 : (uint16_t)atoi(colon + 1));
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("the emulator's control port");
        exit(70);
    }
    return connection;
}

/* One control request; the answer's body ends up in `answer`. Returns the HTTP status. */
static inline int control(const char *method, const char *path, const char *body, char *answer,
                          size_t room) {
    char request[2048];
    size_t used = 0;
    int status = 0;
    ssize_t count;
    char *split;
    int connection = control_connect();
    int length = snprintf(request, sizeof request,
                          "%s /_emulator/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          method, path, strlen(body), body);
    if (send(connection, request, (size_t)length, MSG_NOSIGNAL) != length) {
        perror("the emulator's control port");
        exit(70);
    }
    while (used + 1 < room && (count = read(connection, answer + used, room - 1 - used)) > 0) {
        used += (size_t)count;
    }
    close(connection);
    answer[used] = '\0';
    sscanf(answer, "HTTP/1.1 %d", &status);
    split = strstr(answer, "\r\n\r\n");
    if (split != NULL) {
        memmove(answer, split + 4, strlen(split + 4) + 1);
    }
    return status;
}

/* Waits until a counter is within the range; 0 when it is not within a minute. */
static inline int emulator_wait(const char *counter, int at_least, int at_most) {
    char body[256];
    char answer[16384];
    snprintf(body, sizeof body,
             "{\"counter\": \"%s\", \"at_least\": %d, \"at_most\": %d, \"timeout_ms\": 60000}",
             counter, at_least, at_most);
    return control("POST", "wait", body, answer, sizeof answer) == 200;
}

static inline int emulator_counter(const char *counter) {
    char name[64];
    char answer[16384];
    const char *at;
    control("GET", "counters", "", answer, sizeof answer);
    snprintf(name, sizeof name, "\"%s\":", counter);
    at = strstr(answer, name);
    return at == NULL ? -1 : atoi(at + strlen(name));
}

static inline void emulator_reset(void) {
    char answer[16384];
    CHECK(control("POST", "reset", "", answer, sizeof answer) == 200);
}

static inline void emulator_revoke_tokens(void) {
    char answer[16384];
    CHECK(control("POST", "revoke", "", answer, sizeof answer) == 200);
}

#endif
