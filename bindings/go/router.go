package gigachat

// #include <gigachat.h>
import "C"

import "encoding/json"

// Router is a provider that spreads calls over its members, and falls over to the next when one fails.
type Router struct {
	*Provider
}

// MemberID names a member of a router.
type MemberID uint64

// NewRouter makes a router without members.
func NewRouter(options RouterOptions) (*Router, error) {
	var settings *C.gigachat_router_options
	var e *C.gigachat_error
	if s := C.gigachat_router_options_new(&settings, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	defer C.gigachat_router_options_free(settings)
	for _, row := range options.rows() {
		name, nameLength := chars(row.name)
		value, valueLength := chars(row.value)
		// A value that is refused is told of by router_new.
		C.gigachat_router_options_set(settings, name, nameLength, value, valueLength)
	}
	var handle *C.gigachat_provider
	if s := C.gigachat_router_new(settings, &handle, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	return &Router{adopt(handle)}, nil
}

// Add adds a member: a client, another router, or a provider of the program's own. An empty name is the
// provider's own; weight, 1 to 1000, is how many calls it gets compared with the others.
func (r *Router) Add(member *Provider, name string, weight int) (MemberID, error) {
	var id C.uint64_t
	err := r.with(func(router *C.gigachat_provider) error {
		return member.with(func(handle *C.gigachat_provider) error {
			var e *C.gigachat_error
			text, length := chars(name)
			s := C.gigachat_router_add(router, handle, text, length, C.uint32_t(weight), &id, &e)
			if s != C.GIGACHAT_OK {
				return failed(s, e)
			}
			return nil
		})
	})
	return MemberID(id), err
}

// Remove removes a member; calls that run on it go on.
func (r *Router) Remove(id MemberID) error {
	return r.with(func(router *C.gigachat_provider) error {
		var e *C.gigachat_error
		if s := C.gigachat_router_remove(router, C.uint64_t(id), &e); s != C.GIGACHAT_OK {
			return failed(s, e)
		}
		return nil
	})
}

// Metrics tells what is known of the members, as JSON: requests, failures by kind, latency, tokens, cost,
// cooldown, health.
func (r *Router) Metrics() (json.RawMessage, error) {
	text, err := r.text(func(router *C.gigachat_provider, out **C.gigachat_text, e **C.gigachat_error) C.gigachat_status {
		return C.gigachat_router_metrics_json(router, out, e)
	})
	return json.RawMessage(text), err
}

// Prometheus tells the same in Prometheus' text format.
func (r *Router) Prometheus() (string, error) {
	return r.text(func(router *C.gigachat_provider, out **C.gigachat_text, e **C.gigachat_error) C.gigachat_status {
		return C.gigachat_router_prometheus(router, out, e)
	})
}

func (r *Router) text(
	get func(*C.gigachat_provider, **C.gigachat_text, **C.gigachat_error) C.gigachat_status,
) (text string, err error) {
	err = r.with(func(router *C.gigachat_provider) error {
		var out *C.gigachat_text
		var e *C.gigachat_error
		if s := get(router, &out, &e); s != C.GIGACHAT_OK {
			return failed(s, e)
		}
		text = owned(out)
		return nil
	})
	return text, err
}
