/* One request of libcurl's, the same on the wire as the library's. */
#ifndef BENCH_CURL_REQUEST_H
#define BENCH_CURL_REQUEST_H

#include "cpu.h"
#include <curl/curl.h>
#include <string.h>

typedef struct {
    char bytes[65536];
    size_t length;
} answer;

static size_t collect(char *data, size_t size, size_t count, void *user_data) {
    answer *into = user_data;
    size_t length = size * count;
    if (into->length + length > sizeof into->bytes) return 0;
    memcpy(into->bytes + into->length, data, length);
    into->length += length;
    return length;
}

static const char *need(const char *variable) {
    const char *value = getenv(variable);
    if (value == NULL) {
        fprintf(stderr, "%s is not set; run benches/run.sh\n", variable);
        exit(2);
    }
    return value;
}

static CURL *prepare(const char *body, struct curl_slist *headers, answer *into) {
    static char url[1024];
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/chat/completions", need("GIGACHAT_BASE_URL"));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, need("GIGACHAT_CA_BUNDLE_FILE"));
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "libcurl-bench");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, into);
    return curl;
}

static struct curl_slist *request_headers(void) {
    static char authorization[8192];
    struct curl_slist *headers = NULL;
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", need("BENCH_ACCESS_TOKEN"));
    headers = curl_slist_append(headers, authorization);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Accept: application/json");
    headers = curl_slist_append(headers, "X-Request-ID: 6f0b1291-c7f3-43c6-bb2e-9f3efb2dc98e");
    return headers;
}

static char *request_body(const char *prompt) {
    static char body[4096];
    snprintf(body, sizeof body, "{\"model\":\"GigaChat\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", prompt);
    return body;
}

static void check(CURL *curl, CURLcode code, answer *into) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200 || into->length == 0) fail("libcurl's request failed");
    into->length = 0;
}

#endif
