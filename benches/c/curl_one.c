/* CPU per request of libcurl's easy interface, one in flight. Arguments: requests, prompt. */
#include "curl_request.h"

static answer into;

int main(int argc, char **argv) {
    long requests = argc > 2 ? atol(argv[1]) : 0, number;
    double begun = 0;
    CURL *curl;

    curl_global_init(CURL_GLOBAL_ALL);
    curl = prepare(request_body(argv[2]), request_headers(), &into);
    for (number = -100; number < requests; number++) {
        if (number == 0) begun = cpu_seconds(); /* connected and warm */
        check(curl, curl_easy_perform(curl), &into);
    }
    report(begun, requests);
    return 0;
}
