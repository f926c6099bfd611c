/*
 * Two members behind one router: a model of the program's own is asked first; when it has no time,
 * the service answers instead.
 *
 * Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.c.
 */
#include <gigachat.h>
#include <stdio.h>

/* Begins to answer, on a thread of the library, and must return at once: a real model would take
 * the reply along to a thread of its own. This one is always busy. */
static void ask_own_model(void *user_data, const char *request, gigachat_reply *reply) {
    (void)user_data;
    (void)request; /* JSON, as the service would get it */
    gigachat_reply_fail(reply, GIGACHAT_ERROR_RATE_LIMIT, "the model is busy", GIGACHAT_ZT, 1000, NULL);
    gigachat_reply_free(reply);
}

static gigachat_status make_own_model(gigachat_provider **own, gigachat_error **error) {
    gigachat_custom_options *builder = NULL;

    gigachat_status status = gigachat_custom_options_new("own model", GIGACHAT_ZT, &builder, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_custom_options_set_generate(builder, ask_own_model);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_custom_new(builder, NULL, NULL, own, error);
    }
    gigachat_custom_options_free(builder);
    return status;
}

static gigachat_status make_service(gigachat_provider **service, gigachat_error **error) {
    gigachat_config *config = NULL;

    gigachat_status status = gigachat_config_from_env(&config, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_provider_new(config, service, error);
    }
    gigachat_config_free(config);
    return status;
}

/* A router is a provider: every function that takes one takes it. */
static gigachat_status make_router(gigachat_provider **router, gigachat_error **error) {
    gigachat_router_options *options = NULL;
    gigachat_provider *own = NULL, *service = NULL;

    gigachat_status status = gigachat_router_options_new(&options, error);
    if (status == GIGACHAT_OK) {
        status = gigachat_router_options_set(options, "strategy", GIGACHAT_ZT, "first-available", GIGACHAT_ZT);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_router_new(options, router, error);
    }
    if (status == GIGACHAT_OK) {
        status = make_own_model(&own, error);
    }
    if (status == GIGACHAT_OK) {
        status = make_service(&service, error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_router_add(*router, own, NULL, 0, 1, NULL, error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_router_add(*router, service, "service", GIGACHAT_ZT, 1, NULL, error);
    }
    /* The router shares its members. */
    gigachat_provider_free(service);
    gigachat_provider_free(own);
    gigachat_router_options_free(options);
    return status;
}

int main(int argc, char **argv) {
    const char *prompt = argc > 1 ? argv[1] : "What is C?";
    gigachat_provider *router = NULL;
    gigachat_response *response = NULL;
    gigachat_text *metrics = NULL;
    gigachat_error *error = NULL;

    gigachat_status status = make_router(&router, &error);
    if (status == GIGACHAT_OK) {
        status = gigachat_generate(router, prompt, GIGACHAT_ZT, NULL, NULL, &response, &error);
    }
    if (status == GIGACHAT_OK) {
        status = gigachat_router_metrics_json(router, &metrics, &error);
    }
    if (status == GIGACHAT_OK) {
        printf("%s\n%s\n", gigachat_response_text(response, NULL), gigachat_text_data(metrics, NULL));
    } else {
        fprintf(stderr, "%s: %s\n", gigachat_status_name(status), gigachat_error_message(error, NULL));
    }

    gigachat_error_free(error);
    gigachat_text_free(metrics);
    gigachat_response_free(response);
    gigachat_provider_free(router);
    gigachat_shutdown(5000, NULL);
    return status == GIGACHAT_OK ? 0 : 1;
}
