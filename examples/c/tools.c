/*
 * Lets the model call a function of the program's, and prints what it makes of the result.
 *
 * The same in either of the service's chats: GIGACHAT_API_VERSION is 1 or 2.
 */
#include <gigachat.h>
#include <stdio.h>
#include <string.h>

static const char WEATHER[] =
    "{\"name\": \"weather\", \"description\": \"The weather in a city\", \"parameters\": {\"type\": "
    "\"object\", \"properties\": {\"city\": {\"type\": \"string\"}}, \"required\": [\"city\"]}}";

/* Takes its arguments as JSON and gives its result as JSON. */
static const char *call_function(const char *name, const char *arguments) {
    printf("[%s %s]\n", name, arguments);
    return strcmp(name, "weather") == 0 ? "{\"degrees\": -9}" : "{\"error\": \"no such function\"}";
}

int main(void) {
    gigachat_provider *provider = NULL;
    gigachat_request *request = NULL;
    gigachat_response *response = NULL;
    gigachat_error *error = NULL;
    const char *name = "";
    int rounds;

    gigachat_status status = gigachat_provider_from_env(&provider, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_request_new("chat", GIGACHAT_ZT, &request, &error);
    }
    gigachat_request_add_message(request, "user", GIGACHAT_ZT, "What is the weather in Omsk?", GIGACHAT_ZT);
    gigachat_request_add_function(request, WEATHER, GIGACHAT_ZT);
    for (rounds = 0; status == GIGACHAT_OK && name != NULL && rounds < 8; rounds++) {
        size_t call = 0;
        gigachat_response_free(response);
        status = gigachat_perform(provider, request, NULL, &response, &error);
        gigachat_request_add_response(request, response);
        while ((name = gigachat_response_call_name(response, call, NULL)) != NULL) {
            const char *arguments = gigachat_response_call_arguments(response, call, NULL);
            gigachat_request_add_result(request, response, call, call_function(name, arguments), GIGACHAT_ZT);
            call++;
        }
        name = gigachat_response_call_name(response, 0, NULL);
    }
    if (status == GIGACHAT_OK) {
        printf("%s\n", gigachat_response_text(response, NULL));
    } else {
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }

    gigachat_error_free(error);
    gigachat_response_free(response);
    gigachat_request_free(request);
    gigachat_provider_free(provider);
    gigachat_shutdown(5000, NULL); /* for leak checkers; a program may just end */
    return status == GIGACHAT_OK ? 0 : 1;
}
