/* CPU per request of libcurl's multi interface, 64 in flight. Arguments: requests, prompt. */
#include "curl_request.h"

enum { IN_FLIGHT = 64 };
static answer answers[IN_FLIGHT];

int main(int argc, char **argv) {
    long requests = argc > 2 ? atol(argv[1]) : 0, started = 0, ended = 0, warm = 640;
    double begun = 0;
    CURLM *multi;
    int running = 0;

    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    requests += warm;
    for (; started < IN_FLIGHT; started++) {
        CURL *curl = prepare(request_body(argv[2]), request_headers(), &answers[started]);
        curl_easy_setopt(curl, CURLOPT_PRIVATE, &answers[started]);
        curl_multi_add_handle(multi, curl);
    }
    while (ended < requests) {
        CURLMsg *message;
        int left;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            CURL *curl = message->easy_handle;
            void *into = NULL;
            if (message->msg != CURLMSG_DONE) continue;
            curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&into);
            check(curl, message->data.result, into);
            if (++ended == warm) begun = cpu_seconds();
            curl_multi_remove_handle(multi, curl);
            if (started < requests) {
                curl_multi_add_handle(multi, curl);
                started++;
            }
        }
        if (ended < requests) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    report(begun, requests - warm);
    return 0;
}
