package gigachat

// #include <gigachat.h>
import "C"

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// Provider is who answers: a [Client] of the service, a [Router] over several, or one of the program's own
// made by [NewProvider]. All of them are used alike. Safe for use by any number of goroutines.
type Provider struct {
	mu     sync.RWMutex
	handle *C.gigachat_provider
}

// Client is a provider that asks the service.
type Client = Provider

var errClosed = errors.New("gigachat: the provider is closed")

// New makes a client. Nothing is sent before the first call.
func New(options Options) (*Client, error) {
	var config *C.gigachat_config
	var e *C.gigachat_error
	if s := C.gigachat_config_new(&config, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	return newClient(config, &options)
}

// FromEnv makes a client from the GIGACHAT_* environment variables; options, which may be nil, go before them.
func FromEnv(options *Options) (*Client, error) {
	var config *C.gigachat_config
	var e *C.gigachat_error
	if s := C.gigachat_config_from_env(&config, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	if options == nil {
		options = &Options{}
	}
	return newClient(config, options)
}

func newClient(config *C.gigachat_config, options *Options) (*Client, error) {
	defer C.gigachat_config_free(config)
	var e *C.gigachat_error
	for _, row := range options.rows() {
		name, nameLength := chars(row.name)
		value, valueLength := chars(row.value)
		// A value that is refused is told of by provider_new.
		C.gigachat_config_set(config, name, nameLength, value, valueLength)
	}
	var handle *C.gigachat_provider
	if s := C.gigachat_provider_new(config, &handle, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	return adopt(handle), nil
}

// adopt owns a provider's handle; a provider that is forgotten is freed by the garbage collector.
func adopt(handle *C.gigachat_provider) *Provider {
	p := &Provider{handle: handle}
	runtime.SetFinalizer(p, func(p *Provider) { p.Close() })
	return p
}

// Close frees the provider. Calls that run go on; a call that is begun later fails. Routers that have
// it as a member keep it.
func (p *Provider) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	C.gigachat_provider_free(p.handle)
	p.handle = nil
	runtime.SetFinalizer(p, nil)
	return nil
}

// with lends the handle to begin, which returns at once.
func (p *Provider) with(begin func(*C.gigachat_provider) error) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.handle == nil {
		return errClosed
	}
	return begin(p.handle)
}

// perform answers whatever the request asks; the context's end cancels it.
func (p *Provider) perform(ctx context.Context, request *C.gigachat_request) (*Response, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	t, err := newTicket()
	if err != nil {
		return nil, err
	}
	defer t.close()
	var call *C.gigachat_call
	var e *C.gigachat_error
	err = p.with(func(handle *C.gigachat_provider) error {
		if s := C.gigachat_start(handle, request, &call, &e); s != C.GIGACHAT_OK {
			return failed(s, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer C.gigachat_call_free(call)
	if s := C.gigachat_call_attach(call, completions.handle, C.uint64_t(t.tag), &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	t.wait(ctx, func() { C.gigachat_call_cancel(call, nil) })
	var answer *C.gigachat_response
	if s := C.gigachat_call_take(call, &answer, &e); s != C.GIGACHAT_OK {
		return nil, because(ctx, failed(s, e))
	}
	return newResponse(answer), nil
}

// Generate answers a prompt with a text.
func (p *Provider) Generate(ctx context.Context, prompt string) (string, error) {
	answer, err := p.Chat(ctx, Prompt(prompt))
	if err != nil {
		return "", err
	}
	return answer.Text, nil
}

// Chat answers a request as a whole.
func (p *Provider) Chat(ctx context.Context, request *Request) (*Response, error) {
	handle, err := request.build()
	if err != nil {
		return nil, err
	}
	defer C.gigachat_request_free(handle)
	return p.perform(ctx, handle)
}

// Permits tells how the generations of this credential are limited.
type Permits struct {
	// Limit is how many may run at once; 0 is no limit.
	Limit int
	// Held is how many run, HeldByStreams how many of them are streams.
	Held, HeldByStreams int
	// Waiting is how many calls wait for one.
	Waiting int
}

// Permits tells how the generations of this credential are limited.
func (p *Provider) Permits() (Permits, error) {
	var limit, held, byStreams C.uint32_t
	var waiting C.size_t
	err := p.with(func(handle *C.gigachat_provider) error {
		var e *C.gigachat_error
		s := C.gigachat_provider_permits(handle, &limit, &held, &byStreams, &waiting, &e)
		if s != C.GIGACHAT_OK {
			return failed(s, e)
		}
		return nil
	})
	return Permits{int(limit), int(held), int(byStreams), int(waiting)}, err
}

// Shutdown ends all calls as cancelled, closes connections, and stops the library's threads. It is not
// needed at the end of a program. The library may be used again after it.
func Shutdown(timeout time.Duration) error {
	var e *C.gigachat_error
	if s := C.gigachat_shutdown(C.uint64_t(timeout.Milliseconds()), &e); s != C.GIGACHAT_OK {
		return failed(s, e)
	}
	return nil
}

// Version is the library's version, such as "0.1.0".
func Version() string { return C.GoString(C.gigachat_version()) }

// LiveHandles is how many objects of the library the program holds, to find leaks.
func LiveHandles() int {
	live := int(C.gigachat_live_handles())
	if completions.handle != nil {
		live-- // the package's own queue
	}
	return live
}

// HealthCheck asks whether the service can serve, and tells how long that took.
func (p *Provider) HealthCheck(ctx context.Context) (time.Duration, error) {
	request, err := newRequest("health")
	if err != nil {
		return 0, err
	}
	defer C.gigachat_request_free(request)
	answer, err := p.perform(ctx, request)
	if err != nil {
		return 0, err
	}
	return answer.Timings.Total, nil
}
