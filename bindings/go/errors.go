package gigachat

// #include <gigachat.h>
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Error is the failure of a call. Test what kind it is with errors.Is: errors.Is(err, ErrRateLimit).
type Error struct {
	// Status is the number of the C library's status.
	Status int
	// Kind is the cause in lower snake case, such as "rate_limit".
	Kind string
	// Phase is the part of the call that failed, such as "connect".
	Phase string
	// Message says what went wrong and what to do.
	Message string
	// HTTPStatus is the status of the answer; 0 when no answer came.
	HTTPStatus int
	// ServiceCode is the service's own code of an OAuth error; 0 when there was none.
	ServiceCode int64
	// RequestID is the id of the failed request, by which the service's support finds it.
	RequestID string
	// RetryAfter is how long the service asks to wait; nil when it did not say.
	RetryAfter *time.Duration
	// Retryable says whether the same call may succeed later.
	Retryable bool
	// Attempts is how many requests were sent for the call.
	Attempts int
	// PartialText is what a stream had delivered before it broke; nil when this was no stream.
	PartialText *string
	// Body is the body of the service's answer, at most 64 KiB of it.
	Body string
	// RouteAttempts are the attempts of a call that went through a router.
	RouteAttempts []RouteAttempt
}

// RouteAttempt is an attempt of a routed call that failed.
type RouteAttempt struct {
	Member     string
	Kind       string
	HTTPStatus int
	RequestID  string
	Duration   time.Duration
}

// Error says what went wrong and what to do.
func (e *Error) Error() string { return "gigachat: " + e.Message }

// Is matches the Err variables by their kind.
func (e *Error) Is(target error) bool {
	kind, ok := target.(errorKind)
	return ok && string(kind) == e.Kind
}

// errorKind is what the Err variables are.
type errorKind string

func (k errorKind) Error() string { return "gigachat: " + string(k) }

// failed makes an error of a status and the error's handle, which it frees.
func failed(status C.gigachat_status, handle *C.gigachat_error) error {
	if handle == nil {
		name := C.GoString(C.gigachat_status_name(status))
		return &Error{Status: int(status), Kind: "internal", Phase: "input", Message: name}
	}
	defer C.gigachat_error_free(handle)
	var told struct {
		Status        int     `json:"status"`
		Kind          string  `json:"kind"`
		Phase         string  `json:"phase"`
		Message       string  `json:"message"`
		HTTPStatus    int     `json:"http_status"`
		ServiceCode   int64   `json:"service_code"`
		RequestID     string  `json:"request_id"`
		RetryAfterMS  *int64  `json:"retry_after_ms"`
		Retryable     bool    `json:"retryable"`
		Attempts      int     `json:"attempts"`
		PartialText   *string `json:"partial_text"`
		Body          string  `json:"body"`
		RouteAttempts []struct {
			Member     string `json:"member"`
			Kind       string `json:"kind"`
			HTTPStatus int    `json:"http_status"`
			RequestID  string `json:"request_id"`
			DurationMS int64  `json:"duration_ms"`
		} `json:"route_attempts"`
	}
	text := lent(func(n *C.size_t) *C.char { return C.gigachat_error_json(handle, n) })
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		return &Error{Status: int(status), Kind: "internal", Phase: "input", Message: text}
	}
	e := &Error{
		Status: told.Status, Kind: told.Kind, Phase: told.Phase, Message: told.Message,
		HTTPStatus: told.HTTPStatus, ServiceCode: told.ServiceCode, RequestID: told.RequestID,
		Retryable: told.Retryable, Attempts: told.Attempts, PartialText: told.PartialText, Body: told.Body,
	}
	if told.RetryAfterMS != nil {
		wait := milliseconds(*told.RetryAfterMS)
		e.RetryAfter = &wait
	}
	for _, a := range told.RouteAttempts {
		e.RouteAttempts = append(e.RouteAttempts, RouteAttempt{
			Member: a.Member, Kind: a.Kind, HTTPStatus: a.HTTPStatus, RequestID: a.RequestID,
			Duration: milliseconds(a.DurationMS),
		})
	}
	return e
}

// because puts the context's cause in front of the error of a call that the context has cancelled.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ErrCancelled) {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

func milliseconds(count int64) time.Duration { return time.Duration(count) * time.Millisecond }
