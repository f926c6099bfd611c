// Code generated from api/gigachat.json by internal/generate. DO NOT EDIT.

package gigachat

import (
	"strings"
	"time"
)

// Options are how a client is configured. What is zero or nil keeps its default.
type Options struct {
	// Name: The provider's name in logs, metrics and router reports.
	Name string
	// AuthorizationKey: The authorization key: base64 of client_id:client_secret, ready-made in the
	// customer cabinet.
	AuthorizationKey string
	// Scope: The kind of account that the authorization key belongs to.
	Scope string
	// AccessToken: A ready-made access token; it is never refreshed, so a 401 is final.
	AccessToken string
	// User: The user of an installation that serves {base_url}/token; goes with password.
	User string
	// Password: The password of user.
	Password string
	// Model: The model of requests that name none.
	Model string
	// APIVersion: The chat that requests are sent to whose own form does not say it: /chat/completions (1)
	// or /v2/chat/completions (2).
	APIVersion *int
	// UseAPIV2: By LangChain's name the same as an api_version of 2; false says nothing.
	UseAPIV2 *bool
	// ResultRole: The role under which chat v2 gets the results of functions; models have been seen to take
	// one and refuse the other.
	ResultRole string
	// SessionID: X-Session-ID of calls that set none.
	SessionID string
	// ProfanityCheck: Whether the service checks chats for profanity, where that is agreed with it.
	ProfanityCheck *bool
	// Flags: The service's flags of chats that set none.
	Flags string
	// BaseURL: The API's root.
	BaseURL string
	// TokenURL: The token endpoint.
	TokenURL string
	// Timeout: Bounds a call from its permit to its end, a stream to its first content and, unless
	// idle_timeout is set, a stream's silences.
	Timeout time.Duration
	// ConnectTimeout: Bounds opening a connection, TLS included, within timeout.
	ConnectTimeout time.Duration
	// QueueTimeout: Bounds the wait for a permit, and that after a 429. By default only a wait ends in
	// which the credential hands out no permit, or gets no answer but 429, for 600 s.
	QueueTimeout time.Duration
	// IdleTimeout: Bounds a stream's silence between contents.
	IdleTimeout time.Duration
	// StreamTimeout: Bounds a whole stream from its permit on.
	StreamTimeout time.Duration
	// HealthTimeout: Bounds a health check, token included.
	HealthTimeout time.Duration
	// MaxRetries: Attempts after the first; a 429 that is waited out is none of them. With 0 nothing is
	// sent again.
	MaxRetries *int
	// RetryBrokenConnections: Whether a request whose connection broke before an answer is sent again. The
	// service has no idempotency key: such a retry may bill twice.
	RetryBrokenConnections *bool
	// WaitOnRateLimit: Whether a generation request that was answered with 429 waits in the queue until the
	// service takes it, within queue_timeout and the deadline, while the permits adapt. Without that a 429
	// counts to max_retries.
	WaitOnRateLimit *bool
	// MaxConcurrency: Generation requests in flight per credential.
	MaxConcurrency *int
	// MaxConnectionsPerHost: Connections to the API host at most, each with 100 requests at once over
	// HTTP/2 or one over HTTP/1.1. What finds no place waits in the queue, within queue_timeout.
	MaxConnectionsPerHost *int
	// SharedPermits: Shares permits and access token with the processes of this machine that say the same.
	SharedPermits string
	// VerifyTLS: TLS verification. Off lets anyone on the network read the authorization key; each provider
	// built that way says so in the log.
	VerifyTLS *bool
	// CABundleFile: Root certificates in addition to the system's.
	CABundleFile string
	// CABundlePEM: The same as text.
	CABundlePEM string
	// CertificateFile: The client certificate chain (mTLS), for the token host and the API host.
	CertificateFile string
	// CertificatePEM: The same as text.
	CertificatePEM string
	// PrivateKeyFile: The client certificate's private key.
	PrivateKeyFile string
	// PrivateKeyPEM: The same as text.
	PrivateKeyPEM string
	// PrivateKeyPassword: The password of an encrypted private key.
	PrivateKeyPassword string
	// RussianRootHosts: More hosts for which the embedded Russian Trusted Root CA is trusted.
	RussianRootHosts []string
	// Proxy: A proxy for every host; overrides the environment's.
	Proxy string
	// ProxyFromEnvironment: Whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are followed.
	ProxyFromEnvironment *bool
	// UserAgent: The User-Agent header; api.giga.chat answers 403 without one.
	UserAgent string
	// ExtraHeaders: Headers sent with every API request, not with token requests.
	ExtraHeaders map[string]string
	// AllowInsecureHTTP: Lets http:// reach hosts other than loopback; each provider built that way warns.
	AllowInsecureHTTP *bool
	// MaxBodyBytes: The largest unary answer.
	MaxBodyBytes *int
	// MaxEventBytes: The largest event of a stream.
	MaxEventBytes *int
	// ReadAheadBytes: How much of a stream is read ahead of a slow reader.
	ReadAheadBytes *int
	// LogContent: Whether prompts and answers may appear in the log at trace level.
	LogContent *bool
	// Extra sets further options by the library's names, such as those of a newer library.
	Extra map[string]string
}

func (o *Options) rows() []row {
	rows := []row{
		{"name", o.Name},
		{"authorization_key", o.AuthorizationKey},
		{"scope", o.Scope},
		{"access_token", o.AccessToken},
		{"user", o.User},
		{"password", o.Password},
		{"model", o.Model},
		{"api_version", whole(o.APIVersion)},
		{"use_api_v2", boolean(o.UseAPIV2)},
		{"result_role", o.ResultRole},
		{"session_id", o.SessionID},
		{"profanity_check", boolean(o.ProfanityCheck)},
		{"flags", o.Flags},
		{"base_url", o.BaseURL},
		{"token_url", o.TokenURL},
		{"timeout", seconds(o.Timeout)},
		{"connect_timeout", seconds(o.ConnectTimeout)},
		{"queue_timeout", seconds(o.QueueTimeout)},
		{"idle_timeout", seconds(o.IdleTimeout)},
		{"stream_timeout", seconds(o.StreamTimeout)},
		{"health_timeout", seconds(o.HealthTimeout)},
		{"max_retries", whole(o.MaxRetries)},
		{"retry_broken_connections", boolean(o.RetryBrokenConnections)},
		{"wait_on_rate_limit", boolean(o.WaitOnRateLimit)},
		{"max_concurrency", whole(o.MaxConcurrency)},
		{"max_connections_per_host", whole(o.MaxConnectionsPerHost)},
		{"shared_permits", o.SharedPermits},
		{"verify_tls", boolean(o.VerifyTLS)},
		{"ca_bundle_file", o.CABundleFile},
		{"ca_bundle_pem", o.CABundlePEM},
		{"certificate_file", o.CertificateFile},
		{"certificate_pem", o.CertificatePEM},
		{"private_key_file", o.PrivateKeyFile},
		{"private_key_pem", o.PrivateKeyPEM},
		{"private_key_password", o.PrivateKeyPassword},
		{"russian_root_hosts", strings.Join(o.RussianRootHosts, ",")},
		{"proxy", o.Proxy},
		{"proxy_from_environment", boolean(o.ProxyFromEnvironment)},
		{"user_agent", o.UserAgent},
		{"extra_headers", headers(o.ExtraHeaders)},
		{"allow_insecure_http", boolean(o.AllowInsecureHTTP)},
		{"max_body_bytes", whole(o.MaxBodyBytes)},
		{"max_event_bytes", whole(o.MaxEventBytes)},
		{"read_ahead_bytes", whole(o.ReadAheadBytes)},
		{"log_content", boolean(o.LogContent)},
	}
	return given(rows, o.Extra)
}

// RouterOptions are how a router works. What is zero or nil keeps its default.
type RouterOptions struct {
	// Name: The router's name in logs, metrics and the reports of an outer router.
	Name string
	// Strategy: How members are chosen.
	Strategy string
	// Deadline: The total time of a call, all attempts and waits included; of a stream, until its first
	// content. With it an attempt gets the smaller of its member's timeout and the remaining time divided
	// by the members that are left.
	Deadline time.Duration
	// MemberRetries: Whether members repeat failed requests themselves before the next member is asked:
	// retries multiply then.
	MemberRetries *bool
	// FallbackAfterReadTimeout: Whether the next member is asked after a member's answer did not come in
	// time; the first may have answered and billed nevertheless.
	FallbackAfterReadTimeout *bool
	// MaxCooldownWait: How long a call waits in sum for cooled members when all are; 0 means: fail at once.
	MaxCooldownWait time.Duration
	// Cooldown: The cooldown of a failure without Retry-After, doubled with each that follows, up to
	// longest_cooldown.
	Cooldown time.Duration
	// LongestCooldown: How long a cooldown becomes at most when the service did not say how long.
	LongestCooldown time.Duration
	// Ramp: How long a member takes from its return to its full share.
	Ramp time.Duration
	// FailuresToCool: How many failures in a row cool a member when the service did not say how long. 401,
	// 402, 403 and 429 cool at once.
	FailuresToCool *int
	// Seed: Makes random choices repeatable, for tests.
	Seed *int
	// Extra sets further options by the library's names, such as those of a newer library.
	Extra map[string]string
}

func (o *RouterOptions) rows() []row {
	rows := []row{
		{"name", o.Name},
		{"strategy", o.Strategy},
		{"deadline", seconds(o.Deadline)},
		{"member_retries", boolean(o.MemberRetries)},
		{"fallback_after_read_timeout", boolean(o.FallbackAfterReadTimeout)},
		{"max_cooldown_wait", seconds(o.MaxCooldownWait)},
		{"cooldown", seconds(o.Cooldown)},
		{"longest_cooldown", seconds(o.LongestCooldown)},
		{"ramp", seconds(o.Ramp)},
		{"failures_to_cool", whole(o.FailuresToCool)},
		{"seed", whole(o.Seed)},
	}
	return given(rows, o.Extra)
}

// What kind a failure is, for errors.Is.
var (
	// ErrAuthentication: 401: the authorization key, access token or password is wrong, expired or revoked.
	ErrAuthentication error = errorKind("authentication")
	// ErrPaymentRequired: 402: the paid tokens of this model are used up.
	ErrPaymentRequired error = errorKind("payment_required")
	// ErrPermissionDenied: 403: this account may not do that.
	ErrPermissionDenied error = errorKind("permission_denied")
	// ErrNotFound: 404: no such model, file or path.
	ErrNotFound error = errorKind("not_found")
	// ErrPayloadTooLarge: 413: the prompt is larger than the model's context or the service's body limit.
	ErrPayloadTooLarge error = errorKind("payload_too_large")
	// ErrInvalidRequest: 400 or 422, or refused by this library before any request was sent.
	ErrInvalidRequest error = errorKind("invalid_request")
	// ErrRateLimit: 429: too many requests at once or per second; see retry_after.
	ErrRateLimit error = errorKind("rate_limit")
	// ErrServer: 5xx.
	ErrServer error = errorKind("server")
	// ErrTimeout: A time limit passed; phase tells which.
	ErrTimeout error = errorKind("timeout")
	// ErrConnection: The service could not be reached, or the connection broke before an answer.
	ErrConnection error = errorKind("connection")
	// ErrTLS: The TLS handshake failed, most often because a root certificate is missing.
	ErrTLS error = errorKind("tls")
	// ErrProtocol: The answer is not what the protocol allows: unparsable, truncated, oversized,
	// redirected.
	ErrProtocol error = errorKind("protocol")
	// ErrIncompleteStream: A stream ended without its end mark; partial_text has what arrived.
	ErrIncompleteStream error = errorKind("incomplete_stream")
	// ErrCancelled: The caller cancelled the call.
	ErrCancelled error = errorKind("cancelled")
	// ErrConfiguration: The configuration cannot work (bad URL, unreadable certificate, missing
	// credential).
	ErrConfiguration error = errorKind("configuration")
	// ErrForked: The call or stream was begun in the parent of this forked process.
	ErrForked error = errorKind("forked")
	// ErrShutdown: The library is shutting down.
	ErrShutdown error = errorKind("shutdown")
	// ErrInternal: A fault of the library or of the machine (a panic, no thread to be had).
	ErrInternal error = errorKind("internal")
)

// What an event is.
const (
	// EventText: A piece of the answer's text: gigachat_event_text.
	EventText EventKind = 1
	// EventFunctionCall: The function to call, whole: gigachat_event_name, gigachat_event_text (arguments).
	EventFunctionCall EventKind = 2
	// EventProgress: A built-in function is at work: gigachat_event_name, gigachat_event_text (what the
	// service says of it, the seconds left). Not part of the answer's text.
	EventProgress EventKind = 3
	// EventUsage: Token usage, once, near the end: gigachat_event_prompt_tokens and its kin.
	EventUsage EventKind = 4
	// EventReasoning: A piece of what the model thinks before it answers: gigachat_event_text. Not part of
	// the answer's text.
	EventReasoning EventKind = 5
	// EventFile: A file that the service made (chat v2): gigachat_event_text (its id), gigachat_event_name
	// ("image", "audio", "3dmodel" or a newer kind).
	EventFile EventKind = 6
)

// How a router chooses, for RouterOptions.Strategy.
const (
	StrategyRoundRobin     = "round-robin"
	StrategyRandom         = "random"
	StrategyFirstAvailable = "first-available"
	StrategyBestAvailable  = "best-available"
)
