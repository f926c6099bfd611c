/*
 * What a callback may do: everything but gigachat_shutdown. Blocking calls, also nested ones whose
 * own callbacks a spare thread must run; frees of the call, of the provider, of the queue.
 */
#include "fixture.h"

typedef struct Scene {
    gigachat_provider *provider;
    gigachat_call *other;
    int depth;
    int good;
    Count done;
} Scene;

static gigachat_call *start(gigachat_provider *provider) {
    gigachat_call *call = NULL;
    CHECK_OK(gigachat_generate_start(provider, "repeat: yes", GIGACHAT_ZT, NULL, &call, NULL));
    return call;
}

static void end_scene(void *data) {
    Scene *scene = data;
    count_up(&scene->done);
}

static void play(gigachat_provider *provider, gigachat_call_callback callback) {
    Scene scene = {NULL, NULL, 0, 0, COUNT_OF_NOTHING};
    gigachat_call *call = start(provider);
    scene.provider = provider;
    CHECK_OK(gigachat_call_on_done(call, callback, &scene, end_scene, NULL));
    CHECK(count_reaches(&scene.done, 1));
    CHECK(scene.good);
    gigachat_call_free(call);
}

static void frees_its_own_call(void *data, gigachat_call *call, gigachat_status status) {
    Scene *scene = data;
    gigachat_response *response = NULL;
    scene->good = status == GIGACHAT_OK &&
                  gigachat_call_take(call, &response, NULL) == GIGACHAT_OK && response != NULL;
    gigachat_response_free(response);
    gigachat_call_free(call);
    gigachat_call_free(call);
}

static void asks_and_waits(void *data, gigachat_call *call, gigachat_status status) {
    Scene *scene = data;
    gigachat_stream *stream = NULL;
    int texts;
    (void)call;
    scene->good = status == GIGACHAT_OK && answers(scene->provider, "inside") &&
                  gigachat_health_check(scene->provider, -1, NULL, NULL, NULL) == GIGACHAT_OK &&
                  gigachat_generate_stream(scene->provider, "count to 5", GIGACHAT_ZT, NULL,
                                           &stream, NULL) == GIGACHAT_OK &&
                  read_to_end(stream, &texts) == GIGACHAT_STREAM_END && texts > 1;
    gigachat_stream_free(stream);
}

static void shuts_down(void *data, gigachat_call *call, gigachat_status status) {
    Scene *scene = data;
    (void)call;
    (void)status;
    scene->good = gigachat_shutdown(1000, NULL) == GIGACHAT_ERROR_WOULD_DEADLOCK;
}

/* Waits for a call whose callback sets what this one then looks at: only a spare thread can run
 * that one meanwhile. Each level does the same, seven deep: eight threads at most. */
static void waits_for_another_callback(void *data, gigachat_call *call, gigachat_status status) {
    Scene *scene = data;
    gigachat_queue *queue = NULL;
    (void)call;
    scene->good = status == GIGACHAT_OK;
    if (scene->depth < 7) {
        Scene next = {NULL, NULL, 0, 0, COUNT_OF_NOTHING};
        gigachat_call *inner = start(scene->provider);
        gigachat_call *last = start_endless(scene->provider);
        next.provider = scene->provider;
        next.other = last;
        next.depth = scene->depth + 1;
        scene->good &= gigachat_call_on_done(inner, waits_for_another_callback, &next, end_scene,
                                             NULL) == GIGACHAT_OK;
        /* `last` ends only when the inner callback cancels it. */
        scene->good &= gigachat_call_wait(last, 60000, NULL) == GIGACHAT_OK;
        scene->good &= count_reaches(&next.done, 1) && next.good;
        gigachat_call_free(inner);
        gigachat_call_free(last);
    } else {
        scene->good &= gigachat_queue_new(&queue, NULL) == GIGACHAT_OK;
        gigachat_queue_free(queue);
    }
    if (scene->other != NULL) {
        gigachat_call_cancel(scene->other, NULL);
    }
}

static void frees_everything(void *data, gigachat_call *call, gigachat_status status) {
    Scene *scene = data;
    scene->good = status == GIGACHAT_OK;
    gigachat_provider_free(scene->provider);
    gigachat_call_free(call);
}

static void the_last_owner_may_free_in_a_callback(void) {
    Scene scene = {NULL, NULL, 0, 0, COUNT_OF_NOTHING};
    gigachat_call *call;
    scene.provider = open_provider();
    call = start(scene.provider);
    CHECK_OK(gigachat_call_on_done(call, frees_everything, &scene, end_scene, NULL));
    CHECK(count_reaches(&scene.done, 1));
    CHECK(scene.good);
    CHECK_STATUS(gigachat_call_wait(call, 0, NULL), GIGACHAT_ERROR_INVALID_HANDLE);
}

int main(void) {
    gigachat_provider *provider;
    begin();
    emulator_reset();
    provider = open_provider();
    play(provider, frees_its_own_call);
    play(provider, asks_and_waits);
    play(provider, shuts_down);
    play(provider, waits_for_another_callback);
    the_last_owner_may_free_in_a_callback();
    gigachat_provider_free(provider);
    return finish();
}
