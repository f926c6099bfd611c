package gigachat

// #include <gigachat.h>
import "C"

import (
	"encoding/json"
	"time"
)

// Usage is how many tokens an answer took.
type Usage struct {
	Prompt, Completion, Total int64
	// PrecachedPrompt is how many of the prompt's tokens were taken from the service's cache, unbilled.
	PrecachedPrompt int64
}

// Timings tell how long a call's parts took.
type Timings struct {
	Queue, Token, FirstByte, FirstContent, Total time.Duration
}

// Response is an answer, and what is known of its call.
type Response struct {
	// Text is the answer's text; empty for a function call.
	Text string
	// FinishReason is "stop", "length", "function_call", "blacklist", "error", or a newer one.
	FinishReason string
	Model        string
	// FunctionCall is the function to call; nil for a text.
	FunctionCall     *FunctionCall
	FunctionsStateID string
	// Usage is nil when the service did not tell it.
	Usage *Usage
	// RequestID is the id by which the service's support finds the request.
	RequestID, SessionID string
	// Raw is the answer as it came; empty for a stream's.
	Raw      json.RawMessage
	Attempts int
	Timings  Timings
}

// newResponse copies an answer and frees its handle.
func newResponse(r *C.gigachat_response) *Response {
	defer C.gigachat_response_free(r)
	answer := &Response{
		Text:             lent(func(n *C.size_t) *C.char { return C.gigachat_response_text(r, n) }),
		FinishReason:     lent(func(n *C.size_t) *C.char { return C.gigachat_response_finish_reason(r, n) }),
		Model:            lent(func(n *C.size_t) *C.char { return C.gigachat_response_model(r, n) }),
		FunctionsStateID: lent(func(n *C.size_t) *C.char { return C.gigachat_response_functions_state_id(r, n) }),
		RequestID:        lent(func(n *C.size_t) *C.char { return C.gigachat_response_request_id(r, n) }),
		SessionID:        lent(func(n *C.size_t) *C.char { return C.gigachat_response_session_id(r, n) }),
		Raw:              json.RawMessage(lent(func(n *C.size_t) *C.char { return C.gigachat_response_body(r, n) })),
		Attempts:         int(C.gigachat_response_attempts(r)),
		Timings: Timings{
			Queue:        microseconds(C.gigachat_response_queue_us(r)),
			Token:        microseconds(C.gigachat_response_token_us(r)),
			FirstByte:    microseconds(C.gigachat_response_first_byte_us(r)),
			FirstContent: microseconds(C.gigachat_response_first_content_us(r)),
			Total:        microseconds(C.gigachat_response_total_us(r)),
		},
	}
	if name := lent(func(n *C.size_t) *C.char { return C.gigachat_response_function_name(r, n) }); name != "" {
		arguments := lent(func(n *C.size_t) *C.char { return C.gigachat_response_function_arguments(r, n) })
		answer.FunctionCall = &FunctionCall{Name: name, Arguments: json.RawMessage(arguments)}
	}
	if total := int64(C.gigachat_response_total_tokens(r)); total >= 0 {
		answer.Usage = &Usage{
			Prompt:          int64(C.gigachat_response_prompt_tokens(r)),
			Completion:      int64(C.gigachat_response_completion_tokens(r)),
			Total:           total,
			PrecachedPrompt: int64(C.gigachat_response_precached_prompt_tokens(r)),
		}
	}
	return answer
}

func microseconds(count C.uint64_t) time.Duration { return time.Duration(count) * time.Microsecond }
