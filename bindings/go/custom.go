package gigachat

/*
#include <gigachat.h>
#include <stdint.h>

// User data is a number, a cgo.Handle: Go must never see it as a pointer.
void gigachatGoGenerate(uintptr_t, char *, gigachat_reply *);
void gigachatGoStream(uintptr_t, char *, gigachat_reply *);
void gigachatGoHealthCheck(uintptr_t, char *, gigachat_reply *);
void gigachatGoCancelled(uintptr_t);
void gigachatGoDestroy(uintptr_t);

static void gigachat_go_generate(void *data, const char *request, gigachat_reply *reply) {
    gigachatGoGenerate((uintptr_t)data, (char *)request, reply);
}
static void gigachat_go_stream(void *data, const char *request, gigachat_reply *reply) {
    gigachatGoStream((uintptr_t)data, (char *)request, reply);
}
static void gigachat_go_health_check(void *data, const char *request, gigachat_reply *reply) {
    gigachatGoHealthCheck((uintptr_t)data, (char *)request, reply);
}
static void gigachat_go_cancelled(void *data) { gigachatGoCancelled((uintptr_t)data); }
static void gigachat_go_destroy(void *data) { gigachatGoDestroy((uintptr_t)data); }

// A callback that is refused is told of by gigachat_custom_new.
static inline void gigachat_go_set(gigachat_custom_options *options, int streams, int health) {
    gigachat_custom_options_set_generate(options, gigachat_go_generate);
    if (streams) gigachat_custom_options_set_stream(options, gigachat_go_stream);
    if (health) gigachat_custom_options_set_health_check(options, gigachat_go_health_check);
}
static inline gigachat_status gigachat_go_new(gigachat_custom_options *options, uintptr_t data,
                                              gigachat_provider **provider, gigachat_error **error) {
    return gigachat_custom_new(options, (void *)data, gigachat_go_destroy, provider, error);
}
static inline gigachat_status gigachat_go_on_cancel(gigachat_reply *reply, uintptr_t data) {
    return gigachat_reply_on_cancel(reply, gigachat_go_cancelled, (void *)data, gigachat_go_destroy, NULL);
}
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"runtime/cgo"
)

// Answerer answers requests in the program itself: another service, a cache, a test double. Its methods
// are called from goroutines of their own; the context ends when nobody waits for the answer any more.
// request is the request in the wire format.
//
// An error that is an [*Error] keeps its kind, so that a router treats it as the service's; any other is
// an internal error of the provider.
type Answerer interface {
	Generate(ctx context.Context, request json.RawMessage) (string, error)
}

// StreamAnswerer is an Answerer that answers piece by piece, too. One that is not is asked for whole
// answers, which its streams give in one piece.
type StreamAnswerer interface {
	Answerer
	Stream(ctx context.Context, request json.RawMessage) iter.Seq2[string, error]
}

// HealthChecker is an Answerer that knows whether it can answer. One that is not is always healthy.
type HealthChecker interface {
	HealthCheck(ctx context.Context) error
}

// NewProvider makes a provider of the program's own, to be used or to be a member of routers.
func NewProvider(name string, answerer Answerer) (*Provider, error) {
	var options *C.gigachat_custom_options
	var e *C.gigachat_error
	text, length := chars(name)
	if s := C.gigachat_custom_options_new(text, length, &options, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	defer C.gigachat_custom_options_free(options)
	var streams, health C.int
	if _, ok := answerer.(StreamAnswerer); ok {
		streams = 1
	}
	if _, ok := answerer.(HealthChecker); ok {
		health = 1
	}
	C.gigachat_go_set(options, streams, health)
	data := cgo.NewHandle(answerer)
	var handle *C.gigachat_provider
	if s := C.gigachat_go_new(options, C.uintptr_t(data), &handle, &e); s != C.GIGACHAT_OK {
		data.Delete()
		return nil, failed(s, e)
	}
	return adopt(handle), nil
}

//export gigachatGoGenerate
func gigachatGoGenerate(data C.uintptr_t, request *C.char, reply *C.gigachat_reply) {
	body := json.RawMessage(C.GoString(request))
	begin(data, reply, func(ctx context.Context, answerer Answerer) error {
		text, err := answerer.Generate(ctx, body)
		if err == nil {
			finish(reply, text)
		}
		return err
	})
}

//export gigachatGoStream
func gigachatGoStream(data C.uintptr_t, request *C.char, reply *C.gigachat_reply) {
	body := json.RawMessage(C.GoString(request))
	begin(data, reply, func(ctx context.Context, answerer Answerer) error {
		for piece, err := range answerer.(StreamAnswerer).Stream(ctx, body) {
			if err != nil {
				return err
			}
			text, length := chars(piece)
			C.gigachat_reply_push(reply, text, length, nil)
		}
		finish(reply, "")
		return nil
	})
}

//export gigachatGoHealthCheck
func gigachatGoHealthCheck(data C.uintptr_t, _ *C.char, reply *C.gigachat_reply) {
	begin(data, reply, func(ctx context.Context, answerer Answerer) error {
		err := answerer.(HealthChecker).HealthCheck(ctx)
		if err == nil {
			finish(reply, "")
		}
		return err
	})
}

// begin answers in a goroutine, since the library's callback must return at once.
func begin(data C.uintptr_t, reply *C.gigachat_reply, answer func(context.Context, Answerer) error) {
	answerer := cgo.Handle(data).Value().(Answerer)
	go func() {
		defer C.gigachat_reply_free(reply)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		handle := cgo.NewHandle(cancel)
		if C.gigachat_go_on_cancel(reply, C.uintptr_t(handle)) != C.GIGACHAT_OK {
			handle.Delete()
		}
		if err := answer(ctx, answerer); err != nil {
			fail(reply, err)
		}
	}()
}

//export gigachatGoCancelled
func gigachatGoCancelled(data C.uintptr_t) {
	cgo.Handle(data).Value().(context.CancelFunc)()
}

//export gigachatGoDestroy
func gigachatGoDestroy(data C.uintptr_t) {
	cgo.Handle(data).Delete()
}

func finish(reply *C.gigachat_reply, answer string) {
	text, length := chars(answer)
	C.gigachat_reply_finish(reply, text, length, nil, 0, nil)
}

func fail(reply *C.gigachat_reply, err error) {
	status, wait, message := C.gigachat_status(C.GIGACHAT_ERROR_INTERNAL), int64(-1), err.Error()
	var known *Error
	if errors.As(err, &known) {
		status, message = C.gigachat_status(known.Status), known.Message
		if known.RetryAfter != nil {
			wait = known.RetryAfter.Milliseconds()
		}
	}
	text, length := chars(message)
	C.gigachat_reply_fail(reply, status, text, length, C.int64_t(wait), nil)
}
