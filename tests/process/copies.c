/*
 * Two copies of the library in one process, as two plug-ins bring them: a handle of one copy is none
 * of the other's, whether it is used or freed.
 *
 * Arguments: the paths of the two copies, which are different files.
 */
#include "../c/check.h"

#include <dlfcn.h>

#define MANY 1000

typedef struct Copy {
    gigachat_status (*config_new)(gigachat_config **, gigachat_error **);
    gigachat_status (*set_model)(gigachat_config *, const char *, size_t, gigachat_error **);
    void (*config_free)(gigachat_config *);
    uint64_t (*live)(void);
} Copy;

static void find(void *library, const char *name, void *slot) {
    void *symbol = dlsym(library, name);
    CHECK(symbol != NULL);
    memcpy(slot, &symbol, sizeof symbol);
}

static Copy open_copy(const char *path) {
    Copy copy;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        puts(dlerror());
        exit(70);
    }
    find(library, "gigachat_config_new", &copy.config_new);
    find(library, "gigachat_config_set_model", &copy.set_model);
    find(library, "gigachat_config_free", &copy.config_free);
    find(library, "gigachat_live_handles", &copy.live);
    return copy;
}

int main(int count, char **paths) {
    static gigachat_config *first[MANY], *second[MANY];
    Copy one, other;
    size_t at, accepted = 0;
    begin();
    if (count != 3) {
        return 70;
    }
    one = open_copy(paths[1]);
    other = open_copy(paths[2]);
    CHECK(one.config_new != other.config_new);
    for (at = 0; at < MANY; at++) {
        CHECK(one.config_new(&first[at], NULL) == GIGACHAT_OK);
        CHECK(other.config_new(&second[at], NULL) == GIGACHAT_OK);
    }
    for (at = 0; at < MANY; at++) {
        accepted += one.set_model(second[at], "m", 1, NULL) != GIGACHAT_ERROR_INVALID_HANDLE;
        accepted += other.set_model(first[at], "m", 1, NULL) != GIGACHAT_ERROR_INVALID_HANDLE;
        one.config_free(second[at]);
        other.config_free(first[at]);
    }
    CHECK(accepted == 0);
    CHECK(one.live() == MANY && other.live() == MANY);
    for (at = 0; at < MANY; at++) {
        CHECK(one.set_model(first[at], "m", 1, NULL) == GIGACHAT_OK);
        CHECK(other.set_model(second[at], "m", 1, NULL) == GIGACHAT_OK);
        one.config_free(first[at]);
        other.config_free(second[at]);
    }
    CHECK(one.live() == 0 && other.live() == 0);
    return verdict();
}
