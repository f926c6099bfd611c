/*
 * Operations that are no chat: what is left of prepaid tokens, read by JSON pointer, and how alike
 * two texts are, from their vectors.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#include <gigachat.h>
#include <stdio.h>

/* Prints the balance of each model. */
static gigachat_status print_balance(const gigachat_provider *provider, gigachat_error **error) {
    gigachat_request *request = NULL;
    gigachat_response *response = NULL;
    int64_t at;

    gigachat_status status = gigachat_request_new("balance", GIGACHAT_ZT, &request, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_perform(provider, request, NULL, &response, error);
    }
    for (at = 0; at < gigachat_response_count_at(response, "/balance", GIGACHAT_ZT); at++) {
        char model[64], value[64];
        double left = 0;
        snprintf(model, sizeof model, "/balance/%d/usage", (int)at);
        snprintf(value, sizeof value, "/balance/%d/value", (int)at);
        gigachat_response_number_at(response, value, GIGACHAT_ZT, &left, NULL);
        printf("%s: %.0f tokens left\n", gigachat_response_text_at(response, model, GIGACHAT_ZT, NULL), left);
    }
    gigachat_response_free(response);
    gigachat_request_free(request);
    return status;
}

/* The square of the cosine of the angle between two vectors: 1 for the same direction. */
static double likeness(const float *one, const float *other, size_t width) {
    double product = 0, ones = 0, others = 0;
    size_t at;
    for (at = 0; at < width; at++) {
        product += (double)one[at] * (double)other[at];
        ones += (double)one[at] * (double)one[at];
        others += (double)other[at] * (double)other[at];
    }
    return product * product / (ones * others);
}

/* Prints how alike two texts are. */
static gigachat_status compare(const gigachat_provider *provider, const char *one, const char *other,
                               gigachat_error **error) {
    gigachat_request *request = NULL;
    gigachat_response *response = NULL;
    const float *vectors;
    size_t width = 0;

    gigachat_status status = gigachat_request_new("embeddings", GIGACHAT_ZT, &request, error);
    if (status == GIGACHAT_OK) {
        gigachat_request_add_text(request, one, GIGACHAT_ZT);
        gigachat_request_add_text(request, other, GIGACHAT_ZT);
        status = gigachat_perform(provider, request, NULL, &response, error);
    }
    vectors = gigachat_response_vectors(response, NULL, &width);
    if (vectors != NULL) {
        printf("\"%s\" and \"%s\": %.2f\n", one, other, likeness(vectors, vectors + width, width));
    }
    gigachat_response_free(response);
    gigachat_request_free(request);
    return status;
}

int main(int argc, char **argv) {
    const char *one = argc > 2 ? argv[1] : "a cat";
    const char *other = argc > 2 ? argv[2] : "a kitten";
    gigachat_provider *provider = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = gigachat_provider_from_env(&provider, &error);
    if (status == GIGACHAT_OK) {
        status = print_balance(provider, &error);
    }
    if (status == GIGACHAT_OK) {
        status = compare(provider, one, other, &error);
    }
    if (status != GIGACHAT_OK) {
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }
    gigachat_error_free(error);
    gigachat_provider_free(provider);
    gigachat_shutdown(5000, NULL); /* for leak checkers; a program may just end */
    return status == GIGACHAT_OK ? 0 : 1;
}
