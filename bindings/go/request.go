package gigachat

// #include <gigachat.h>
import "C"

import (
	"encoding/json"
	"fmt"
	"time"
)

// Message is one message of a conversation.
type Message struct {
	// Role is "user", "assistant", "system", "function", or a newer one.
	Role string `json:"role"`
	// Content is the text; for role "function" the function's result as JSON.
	Content string `json:"content"`
	// Name is the function's name, for role "function".
	Name string `json:"name,omitempty"`
	// FunctionCall and FunctionsStateID repeat the assistant's call in the history.
	FunctionCall     *FunctionCall `json:"function_call,omitempty"`
	FunctionsStateID string        `json:"functions_state_id,omitempty"`
	// Attachments are ids of files.
	Attachments []string `json:"attachments,omitempty"`
}

// Function is a function that the model may call.
type Function struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Parameters is a JSON Schema: a json.RawMessage, a map or a struct.
	Parameters any `json:"parameters,omitempty"`
	// ReturnParameters and FewShotExamples are as the service documents them.
	ReturnParameters any `json:"return_parameters,omitempty"`
	FewShotExamples  any `json:"few_shot_examples,omitempty"`
}

// FunctionCall is the model's wish that a function be called.
type FunctionCall struct {
	Name string `json:"name"`
	// Arguments is a JSON object.
	Arguments json.RawMessage `json:"arguments"`
}

// Request is a chat: its messages, and how they are to be answered. Fields that are zero are not sent.
type Request struct {
	Model             string     `json:"model,omitempty"`
	Messages          []Message  `json:"messages,omitempty"`
	Functions         []Function `json:"functions,omitempty"`
	FunctionCall      any        `json:"function_call,omitempty"`
	Temperature       *float64   `json:"temperature,omitempty"`
	TopP              *float64   `json:"top_p,omitempty"`
	MaxTokens         int        `json:"max_tokens,omitempty"`
	RepetitionPenalty *float64   `json:"repetition_penalty,omitempty"`
	// Stop are texts before which the answer ends.
	Stop []string `json:"stop,omitempty"`
	// Extra are further fields of the wire format, by name. They go before the fields above.
	Extra map[string]any `json:"-"`
	// Call holds what concerns this call alone.
	Call CallOptions `json:"-"`
}

// CallOptions are what concerns one call. Zero values leave the configuration's.
type CallOptions struct {
	// Timeout bounds the call from its permit on, QueueTimeout the wait for a permit, IdleTimeout the
	// silence within a stream, StreamTimeout a whole stream, Deadline a routed call with all attempts.
	Timeout, QueueTimeout, IdleTimeout, StreamTimeout, Deadline time.Duration
	// RequestID, SessionID and ClientID are sent as X-Request-ID, X-Session-ID and X-Client-ID.
	RequestID, SessionID, ClientID string
	// Headers are sent beside the library's own.
	Headers map[string]string
	// Extra sets further options by the library's names, such as those of a newer library.
	Extra map[string]string
}

// Prompt is a request with one user message.
func Prompt(text string) *Request {
	return &Request{Messages: []Message{{Role: "user", Content: text}}}
}

// Add appends a message.
func (r *Request) Add(role, content string) *Request {
	r.Messages = append(r.Messages, Message{Role: role, Content: content})
	return r
}

// AddResponse appends an answer to the history, with its function call if it has one.
func (r *Request) AddResponse(answer *Response) *Request {
	message := Message{Role: "assistant", Content: answer.Text}
	if answer.FunctionCall != nil {
		call := *answer.FunctionCall
		message.FunctionCall = &call
		message.FunctionsStateID = answer.FunctionsStateID
	}
	r.Messages = append(r.Messages, message)
	return r
}

// AddResult appends a function's result, which is encoded as JSON.
func (r *Request) AddResult(function string, result any) error {
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("gigachat: the result of %s: %w", function, err)
	}
	r.Messages = append(r.Messages, Message{Role: "function", Name: function, Content: string(text)})
	return nil
}

// wire is the request in the wire format.
func (r *Request) wire() ([]byte, error) {
	plain, err := json.Marshal((*struct {
		Model             string         `json:"model,omitempty"`
		Messages          []Message      `json:"messages,omitempty"`
		Functions         []Function     `json:"functions,omitempty"`
		FunctionCall      any            `json:"function_call,omitempty"`
		Temperature       *float64       `json:"temperature,omitempty"`
		TopP              *float64       `json:"top_p,omitempty"`
		MaxTokens         int            `json:"max_tokens,omitempty"`
		RepetitionPenalty *float64       `json:"repetition_penalty,omitempty"`
		Stop              []string       `json:"stop,omitempty"`
		Extra             map[string]any `json:"-"`
		Call              CallOptions    `json:"-"`
	})(r))
	if err != nil || len(r.Extra) == 0 {
		return plain, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(plain, &fields); err != nil {
		return nil, err
	}
	for name, value := range r.Extra {
		if fields[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return json.Marshal(fields)
}

// build makes the library's request; a value that is refused is told of by the call.
func (r *Request) build() (*C.gigachat_request, error) {
	body, err := r.wire()
	if err != nil {
		return nil, fmt.Errorf("gigachat: the request: %w", err)
	}
	handle, err := newRequest("chat")
	if err != nil {
		return nil, err
	}
	text, length := chars(string(body))
	C.gigachat_request_set_json(handle, text, length)
	r.Call.apply(handle)
	return handle, nil
}

// newRequest is a request for an operation by its name.
func newRequest(operation string) (*C.gigachat_request, error) {
	var handle *C.gigachat_request
	var e *C.gigachat_error
	name, length := chars(operation)
	if s := C.gigachat_request_new(name, length, &handle, &e); s != C.GIGACHAT_OK {
		return nil, failed(s, e)
	}
	return handle, nil
}

// apply sets what concerns this call.
func (o *CallOptions) apply(request *C.gigachat_request) {
	for _, row := range given([]row{
		{"timeout", seconds(o.Timeout)}, {"queue_timeout", seconds(o.QueueTimeout)},
		{"idle_timeout", seconds(o.IdleTimeout)}, {"stream_timeout", seconds(o.StreamTimeout)},
		{"deadline", seconds(o.Deadline)}, {"request_id", o.RequestID}, {"session_id", o.SessionID},
		{"client_id", o.ClientID}, {"extra_headers", headers(o.Headers)},
	}, o.Extra) {
		name, nameLength := chars(row.name)
		value, valueLength := chars(row.value)
		C.gigachat_request_set(request, name, nameLength, value, valueLength)
	}
}
