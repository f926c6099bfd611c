package gigachat

// #include <gigachat.h>
import "C"

import (
	"context"
	"iter"
)

// EventKind is what an event of a stream is. Newer kinds may come; skip those that are unknown.
type EventKind int

// Event is one part of a streamed answer.
type Event struct {
	Kind EventKind
	// Text is the piece of the answer, or the arguments of a function call.
	Text string
	// Name is the function's name.
	Name string
	// Usage comes with EventUsage.
	Usage *Usage
	// Response is the whole answer; it comes with the last event, whose kind is EventEnd.
	Response *Response
}

// EventEnd is the kind of the last event of a complete answer.
const EventEnd EventKind = 0

// Stream answers a request part by part:
//
//	for event, err := range client.Stream(ctx, request) { ... }
//
// The request is sent when the loop begins; leaving the loop cancels it. A stream that breaks gives an
// error after everything that had arrived.
func (p *Provider) Stream(ctx context.Context, request *Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := p.stream(ctx, request, func(event Event) bool { return yield(event, nil) }); err != nil {
			yield(Event{}, err)
		}
	}
}

// StreamText answers a prompt piece by piece.
func (p *Provider) StreamText(ctx context.Context, prompt string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := p.stream(ctx, Prompt(prompt), func(event Event) bool {
			return event.Kind != EventText || yield(event.Text, nil)
		})
		if err != nil {
			yield("", err)
		}
	}
}

// stream hands over events until the end, an error, or a false of yield.
func (p *Provider) stream(ctx context.Context, request *Request, yield func(Event) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	asked, err := request.build()
	if err != nil {
		return err
	}
	defer C.gigachat_request_free(asked)
	t, err := newTicket()
	if err != nil {
		return err
	}
	defer t.close()
	var handle *C.gigachat_stream
	var e *C.gigachat_error
	err = p.with(func(provider *C.gigachat_provider) error {
		if s := C.gigachat_open(provider, asked, &handle, &e); s != C.GIGACHAT_OK {
			return failed(s, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer C.gigachat_stream_free(handle)
	if s := C.gigachat_stream_attach(handle, completions.handle, C.uint64_t(t.tag), &e); s != C.GIGACHAT_OK {
		return failed(s, e)
	}
	for {
		var event *C.gigachat_event
		switch s := C.gigachat_stream_next(handle, 0, &event, &e); s {
		case C.GIGACHAT_OK:
			if !yield(newEvent(event)) {
				return nil
			}
		case C.GIGACHAT_NOT_YET:
			t.wait(ctx, func() { C.gigachat_stream_cancel(handle, nil) })
		case C.GIGACHAT_STREAM_END:
			var whole *C.gigachat_response
			if s := C.gigachat_stream_response(handle, &whole, &e); s != C.GIGACHAT_OK {
				return failed(s, e)
			}
			yield(Event{Kind: EventEnd, Response: newResponse(whole)})
			return nil
		default:
			return because(ctx, failed(s, e))
		}
	}
}

// newEvent copies an event and frees its handle.
func newEvent(handle *C.gigachat_event) Event {
	defer C.gigachat_event_free(handle)
	event := Event{
		Kind: EventKind(C.gigachat_event_kind(handle)),
		Text: lent(func(n *C.size_t) *C.char { return C.gigachat_event_text(handle, n) }),
		Name: lent(func(n *C.size_t) *C.char { return C.gigachat_event_name(handle, n) }),
	}
	if event.Kind == EventUsage {
		event.Usage = &Usage{
			Prompt:          int64(C.gigachat_event_prompt_tokens(handle)),
			Completion:      int64(C.gigachat_event_completion_tokens(handle)),
			Total:           int64(C.gigachat_event_total_tokens(handle)),
			PrecachedPrompt: int64(C.gigachat_event_precached_prompt_tokens(handle)),
		}
	}
	return event
}
