/*
 * dlopen, use, dlclose: two hundred times, from the main thread and from a helper thread, with and
 * without a shutdown before, with calls running. The program is not linked with the library.
 *
 * Argument: the path of the library.
 */
#include "../c/check.h"

#include <dlfcn.h>
#include <sys/wait.h>

typedef struct Library {
    void *handle;
    gigachat_status (*config_from_env)(gigachat_config **, gigachat_error **);
    void (*config_free)(gigachat_config *);
    gigachat_status (*set_concurrency)(gigachat_config *, uint32_t);
    gigachat_status (*provider_new)(const gigachat_config *, gigachat_provider **,
                                    gigachat_error **);
    void (*provider_free)(gigachat_provider *);
    gigachat_status (*generate)(const gigachat_provider *, const char *, size_t,
                                const gigachat_params *, const gigachat_cancel *,
                                gigachat_response **, gigachat_error **);
    gigachat_status (*generate_start)(const gigachat_provider *, const char *, size_t,
                                      const gigachat_params *, gigachat_call **,
                                      gigachat_error **);
    const char *(*response_text)(const gigachat_response *, size_t *);
    void (*response_free)(gigachat_response *);
    void (*call_free)(gigachat_call *);
    gigachat_status (*shutdown)(uint64_t, gigachat_error **);
} Library;

static const char *library_path;

static void find(Library *library, const char *name, void *slot) {
    void *symbol = dlsym(library->handle, name);
    CHECK(symbol != NULL);
    memcpy(slot, &symbol, sizeof symbol);
}

static void open_library(Library *library) {
    library->handle = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        puts(dlerror());
        exit(70);
    }
    find(library, "gigachat_config_from_env", &library->config_from_env);
    find(library, "gigachat_config_free", &library->config_free);
    find(library, "gigachat_config_set_max_concurrency", &library->set_concurrency);
    find(library, "gigachat_provider_new", &library->provider_new);
    find(library, "gigachat_provider_free", &library->provider_free);
    find(library, "gigachat_generate", &library->generate);
    find(library, "gigachat_generate_start", &library->generate_start);
    find(library, "gigachat_response_text", &library->response_text);
    find(library, "gigachat_response_free", &library->response_free);
    find(library, "gigachat_call_free", &library->call_free);
    find(library, "gigachat_shutdown", &library->shutdown);
}

enum { SHUT_DOWN = 1, LEAVE_RUNNING = 2 };

static void *use_once(void *how) {
    int ways = (int)(intptr_t)how;
    Library library;
    gigachat_config *config = NULL;
    gigachat_provider *provider = NULL;
    gigachat_response *response = NULL;
    gigachat_call *call = NULL;
    open_library(&library);
    CHECK(library.config_from_env(&config, NULL) == GIGACHAT_OK);
    CHECK(library.set_concurrency(config, 0) == GIGACHAT_OK);
    CHECK(library.provider_new(config, &provider, NULL) == GIGACHAT_OK);
    CHECK(library.generate(provider, "repeat: x", SIZE_MAX, NULL, NULL, &response, NULL) == GIGACHAT_OK);
    CHECK(response != NULL && strcmp(library.response_text(response, NULL), "x") == 0);
    library.response_free(response);
    if (ways & LEAVE_RUNNING) {
        CHECK(library.generate_start(provider, "write 200 tokens", SIZE_MAX, NULL, &call, NULL) == GIGACHAT_OK);
        if (ways & SHUT_DOWN) {
            library.call_free(call);
        }
    }
    library.provider_free(provider);
    library.config_free(config);
    if (ways & SHUT_DOWN) {
        CHECK(library.shutdown(60000, NULL) == GIGACHAT_OK);
    }
    CHECK(dlclose(library.handle) == 0);
    return NULL;
}

int main(int count, char **arguments) {
    int round;
    begin();
    library_path = count > 1 ? arguments[1] : "libgigachat.so";
    for (round = 0; round < rounds(200); round++) {
        void *how = (void *)(intptr_t)(round % 4);
        if (round % 8 < 4) {
            use_once(how);
        } else {
            pthread_t thread;
            if (pthread_create(&thread, NULL, use_once, how) != 0) {
                return 70;
            }
            pthread_join(thread, NULL);
        }
    }
    return verdict();
}
