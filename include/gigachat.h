/**
 * @file gigachat.h
 * @brief The C interface of libgigachat.
 *
 * libgigachat talks to GigaChat, Sber's LLM service: OAuth with the authorization key, completions,
 * streams, every other operation of the service, with retries, time limits and errors that say what
 * to do. One header, one library, for C99 and newer, C++11 and newer (gigachat.hpp is a C++17
 * wrapper), and every language that can call C.
 *
 *
 * A program in ten lines
 * ----------------------
 *
 *     #include <gigachat.h>
 *     #include <stdio.h>
 *
 *     int main(void) {                                             // GIGACHAT_CREDENTIALS=...
 *         gigachat_provider *provider; gigachat_response *response = NULL; gigachat_error *error;
 *         if (gigachat_provider_from_env(&provider, &error) ||
 *             gigachat_generate(provider, "What is C?", GIGACHAT_ZT, NULL, NULL, &response, &error))
 *             return fprintf(stderr, "%s\n", gigachat_error_message(error, NULL)), 1;
 *         puts(gigachat_response_text(response, NULL));
 *         gigachat_response_free(response);
 *         gigachat_provider_free(provider);
 *     }
 *
 *
 * Conventions
 * -----------
 *
 * What stands here holds for every function; the comment of a function says only what differs.
 * Everything is there since 0.1 unless its comment says otherwise.
 *
 * **Statuses.** Every function that can fail returns a gigachat_status: 0 is success.
 * GIGACHAT_STREAM_END and GIGACHAT_NOT_YET are not errors. The last parameter, `error`, may be NULL;
 * otherwise it receives NULL on success and an error handle on failure, which the program frees.
 * There is no thread-local "last error". A function that says nothing of its returns gives
 * GIGACHAT_OK, or a status that this chapter names.
 *
 * **Handles.** A pointer to one of the types below is a word that the library understands, not an
 * address; never dereference it. A handle that was freed, is of another type or is garbage gives
 * GIGACHAT_ERROR_INVALID_HANDLE, or nothing (see there) from functions that return a value. Every
 * handle that a function hands out is the program's to free, with the free function of its type, at
 * any time, in any order, from any thread; free(NULL) is a no-op. gigachat_live_handles() counts
 * them.
 *
 * **Builders** (gigachat_config, gigachat_params, gigachat_request, gigachat_router_options,
 * gigachat_custom_options) have setters, which return the status of their own setting and make no
 * error handle. The first setting that was refused is kept: the function that uses the builder fails
 * with it and its message, which names the option, the value and what is accepted. So a program may
 * set ten things and look once. A builder is copied where it is used and stays the program's.
 *
 * **Out-parameters** come last but for `error`. They are set to NULL or 0 on entry and to the result
 * on success: after GIGACHAT_OK a handle is never NULL.
 *
 * **Strings in** are UTF-8, a pointer and a length in bytes; GIGACHAT_ZT as the length means that the
 * string ends with a NUL. With length 0 the pointer is not looked at. They are read during the call
 * and copied where they are kept.
 *
 * **Strings out** are UTF-8, borrowed from a handle until that handle is freed, always followed by a
 * NUL; their length is written where `length` points to, if it is not NULL. Never free them.
 *
 * **Nothing.** A string or a handle that is not there is NULL, a number that is not there is -1 if 0
 * could be one and 0 if not, as its comment says; a wait without a limit of its own is -1.
 *
 * **Times** are in milliseconds where a name ends in _ms, in microseconds where it ends in _us, and
 * in seconds where an option is set by its name.
 *
 * **NULL** for a pointer that is needed gives GIGACHAT_ERROR_NULL_ARGUMENT, never a crash.
 *
 * **Secrets** (keys, tokens, passwords, the values of headers) occur in no error, log record or
 * answer of this library; where the service repeats one, "[secret]" stands in its place.
 *
 * **Threads.** Any thread may call any function. Providers, calls, replies, cancellation tokens and
 * queues may be used by several threads at the same time; errors, answers and events never change.
 * A stream has one reader; any thread may cancel or free it. Builders are for one thread at a time:
 * concurrent changes never corrupt memory, but which of them wins is unspecified. A borrowed string
 * must not be in use when its handle is freed.
 *
 * **Callbacks** run on a thread of the library made for them. A callback may call any function of
 * this library, blocking ones included, but gigachat_shutdown, and the log callback may not replace
 * itself. They must not throw or longjmp. A callback that blocks outside the library delays the
 * others. One that ends its thread (pthread_exit) ends nothing else on Linux: another thread takes
 * over; what the library held for that one call, its destroy hook included, is leaked.
 *
 * **Waits** end by the call's own clock, whatever becomes of the library's threads. When the program
 * keeps those from running (a handler or a thread hook that does not return, a lock that they need),
 * a function that waits for a call, a stream or a queue ends what should have ended by its own time
 * limits, not later than a second after them, with GIGACHAT_ERROR_TIMEOUT and a message that says
 * so; the phase is "start" when the threads had not begun it.
 *
 * **Cancelled threads.** Every function disables the cancellation of its thread
 * (pthread_setcancelstate) while it runs; one that comes in the meantime takes effect afterwards, in
 * the program. The library's own threads must not be cancelled. Asynchronous cancellation is not
 * supported.
 *
 * **Signals** are the program's. No function may be called from a signal handler but
 * gigachat_status_name, gigachat_version, gigachat_version_number and gigachat_abi_version: the
 * others take locks and allocate. The
 * library's threads block all signals but SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS and
 * SIGPROF, which stay as they are where the library is first used, so that a crash reporter and a
 * profiler see a callback as any of the program's code.
 *
 * **Fork.** A forked child may use configurations, requests and providers as they are; it gets its
 * own threads and connections and keeps the access token. Calls, streams, cancellation tokens and
 * queues of the parent answer GIGACHAT_ERROR_FORKED there and must be made again. The parent is
 * unaffected. A child that execs at once needs nothing. On Linux it does not matter how the child
 * was made (fork, _Fork, a system call); on other systems it is noticed when fork made it.
 *
 * **Descriptors** of the library are closed on exec. A program that closes them itself (closefrom, a
 * loop over close) breaks what is under way, which ends with GIGACHAT_ERROR_INTERNAL and the reason;
 * the next call has new ones. A completion queue whose descriptor was closed says so, and a new one
 * is needed.
 *
 * **At exit()** nothing is needed: running calls end with the process, and no callback starts after
 * exit began.
 *
 * **Faults.** The library prints nothing. A fault inside of it (a panic) is GIGACHAT_ERROR_INTERNAL
 * and, with its place, a record of the log callback; it ends the call that it is in.
 *
 * **Constructors** of shared objects (static objects of C++ too) run under the dynamic loader's lock,
 * for which a new thread has to wait. When the library's first call is made there it ends with its
 * own time limit, or after 3 seconds, with GIGACHAT_ERROR_TIMEOUT, which says so.
 *
 * **Environment.** Three functions read it, on the caller's thread, and no other thread may change it
 * in the meantime: gigachat_config_from_env and gigachat_provider_from_env the variables that begin
 * with GIGACHAT_, gigachat_provider_new and gigachat_provider_from_env the names of certificates and
 * proxies. What is read without being asked for, those names, counts for nothing in a set-user-id
 * program.
 *
 * **Memory.** A failed allocation ends the process, as Rust does. Running out of threads or
 * descriptors is a status.
 */

#ifndef GIGACHAT_H
#define GIGACHAT_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/** The major version of this header; gigachat_version_number() is the library's. */
#define GIGACHAT_VERSION_MAJOR 0
/** The minor version of this header. */
#define GIGACHAT_VERSION_MINOR 1
/** The patch version of this header. */
#define GIGACHAT_VERSION_PATCH 0
/** The version of this header as one number, to be compared with gigachat_version_number(). */
#define GIGACHAT_VERSION_NUMBER \
    (GIGACHAT_VERSION_MAJOR * 1000000 + GIGACHAT_VERSION_MINOR * 1000 + GIGACHAT_VERSION_PATCH)

/** The length of a string that ends with a NUL. */
#define GIGACHAT_ZT SIZE_MAX

/** Before every function: its visibility. */
#if defined(_WIN32) && !defined(GIGACHAT_STATIC)
#define GIGACHAT_API __declspec(dllimport)
#else
#define GIGACHAT_API
#endif


#ifdef __cplusplus
extern "C" {
#endif


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_the_objects The objects
 *
 * Each is made by a function whose name ends in _new, _from_env, _start or _open, or is handed out
 * as a result; the chapters after this one meet them in turn.
 *
 * @{
 */

/**
 * A call that runs beside its caller. First gigachat_start or gigachat_generate_start, then
 * gigachat_call_wait, gigachat_call_on_done or gigachat_call_attach, then gigachat_call_take; then
 * gigachat_call_free.
 */
typedef struct gigachat_call gigachat_call;

/**
 * Ends the blocking calls that it was passed to, from any thread. One token may serve several
 * calls; once it is cancelled it stays so, and a call begun with it is cancelled at once. In a
 * forked child a token of the parent answers GIGACHAT_ERROR_FORKED.
 */
typedef struct gigachat_cancel gigachat_cancel;

/**
 * A provider's options, a builder. First gigachat_config_new or gigachat_config_from_env, then
 * setters, then gigachat_provider_new, which copies them and tells of the first setting that was
 * refused; then gigachat_config_free.
 */
typedef struct gigachat_config gigachat_config;

/**
 * The name and callbacks of a custom provider, a builder. First gigachat_custom_options_new, then
 * callbacks, then gigachat_custom_new, which copies them and tells of the first setting that was
 * refused; then gigachat_custom_options_free.
 */
typedef struct gigachat_custom_options gigachat_custom_options;

/**
 * One failure: what went wrong, in which request, and what to do. Made by the library, freed by
 * the program with gigachat_error_free.
 */
typedef struct gigachat_error gigachat_error;

/**
 * One part of a streamed answer.
 */
typedef struct gigachat_event gigachat_event;

/**
 * What one call sets for itself, a builder; what is not set is not sent. First
 * gigachat_params_new, then setters, then any number of calls, which tell of the first setting
 * that was refused; then gigachat_params_free.
 */
typedef struct gigachat_params gigachat_params;

/**
 * Something that answers requests: the service, a router of others, or functions of the program's.
 */
typedef struct gigachat_provider gigachat_provider;

/**
 * Collects the tags of ended calls and readable streams, for event loops.
 */
typedef struct gigachat_queue gigachat_queue;

/**
 * The answer to one request that was passed to a program's own provider. Answer it exactly once,
 * from any thread, then free it; freeing it unanswered fails the request.
 */
typedef struct gigachat_reply gigachat_reply;

/**
 * One request for one operation of the service, a builder; it may be used for any number of
 * calls. First gigachat_request_new, then what belongs to it, then gigachat_perform,
 * gigachat_start or gigachat_open, which tell of the first setting that was refused; then
 * gigachat_request_free.
 */
typedef struct gigachat_request gigachat_request;

/**
 * The answer of any operation: what it says, and what is known of its call.
 */
typedef struct gigachat_response gigachat_response;

/**
 * The settings of a router, a builder. First gigachat_router_options_new, then settings, then
 * gigachat_router_new, which copies them and tells of the first setting that was refused; then
 * gigachat_router_options_free.
 */
typedef struct gigachat_router_options gigachat_router_options;

/**
 * An answer that is read part by part, by one thread. First gigachat_open or
 * gigachat_generate_stream, then gigachat_stream_next_text or gigachat_stream_next until
 * GIGACHAT_STREAM_END, then gigachat_stream_response; then gigachat_stream_free.
 */
typedef struct gigachat_stream gigachat_stream;

/**
 * A text that the library made: the metrics of a router.
 */
typedef struct gigachat_text gigachat_text;

/**
 * Called once with the user data, after its last use. May be NULL.
 */
typedef void (*gigachat_destroy_callback)(void *user_data);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_statuses Statuses
 *
 * What functions return.
 *
 * @{
 */

/**
 * What a function returns: GIGACHAT_OK, one of the two waiting states, or an error. Newer versions
 * may add codes; treat an unknown one as an error.
 */
typedef int32_t gigachat_status;

/**
 * Success.
 */
#define GIGACHAT_OK 0

/**
 * Not an error: the stream is complete, there is nothing more to read.
 */
#define GIGACHAT_STREAM_END 1

/**
 * Not an error: nothing came within the time given, or the call is still running.
 */
#define GIGACHAT_NOT_YET 2

/**
 * A pointer that must not be NULL is NULL.
 */
#define GIGACHAT_ERROR_NULL_ARGUMENT 10

/**
 * A text is not UTF-8, or its length cannot be true.
 */
#define GIGACHAT_ERROR_INVALID_UTF8 11

/**
 * A handle that was freed, is of another type, or never was one.
 */
#define GIGACHAT_ERROR_INVALID_HANDLE 12

/**
 * The result of this call was taken before.
 */
#define GIGACHAT_ERROR_ALREADY_TAKEN 13

/**
 * This call has a completion callback or queue already.
 */
#define GIGACHAT_ERROR_ALREADY_SET 14

/**
 * The function would wait for its own caller (shutdown inside a callback, replacing the log
 * callback inside of it).
 */
#define GIGACHAT_ERROR_WOULD_DEADLOCK 15

/**
 * A process setting came after the first use of the library.
 */
#define GIGACHAT_ERROR_TOO_LATE 16

/**
 * The call, stream or queue belongs to the parent of this forked process.
 */
#define GIGACHAT_ERROR_FORKED 17

/**
 * The library is shutting down.
 */
#define GIGACHAT_ERROR_SHUTDOWN 18

/**
 * The configuration cannot work; the message names the option.
 */
#define GIGACHAT_ERROR_CONFIGURATION 30

/**
 * HTTP 400 or 422, or refused by the library before anything was sent.
 */
#define GIGACHAT_ERROR_INVALID_REQUEST 31

/**
 * HTTP 401: the authorization key, access token or password is wrong or expired.
 */
#define GIGACHAT_ERROR_AUTHENTICATION 32

/**
 * HTTP 402: the paid tokens of this model are used up.
 */
#define GIGACHAT_ERROR_PAYMENT_REQUIRED 33

/**
 * HTTP 403: this account may not do that.
 */
#define GIGACHAT_ERROR_PERMISSION_DENIED 34

/**
 * HTTP 404: no such model or path.
 */
#define GIGACHAT_ERROR_NOT_FOUND 35

/**
 * HTTP 413: the prompt is too large.
 */
#define GIGACHAT_ERROR_PAYLOAD_TOO_LARGE 36

/**
 * HTTP 429: too many requests; see gigachat_error_retry_after_ms.
 */
#define GIGACHAT_ERROR_RATE_LIMIT 37

/**
 * HTTP 5xx: the service failed.
 */
#define GIGACHAT_ERROR_SERVER 38

/**
 * A time limit passed; gigachat_error_phase tells which.
 */
#define GIGACHAT_ERROR_TIMEOUT 39

/**
 * The service cannot be reached, or the connection broke before an answer.
 */
#define GIGACHAT_ERROR_CONNECTION 40

/**
 * The TLS handshake failed; the message names the missing root certificate.
 */
#define GIGACHAT_ERROR_TLS 41

/**
 * The answer is unparsable, truncated, oversized or redirected.
 */
#define GIGACHAT_ERROR_PROTOCOL 42

/**
 * A stream ended without its end mark; gigachat_error_partial_text has what arrived.
 */
#define GIGACHAT_ERROR_INCOMPLETE_STREAM 43

/**
 * The call or stream was cancelled.
 */
#define GIGACHAT_ERROR_CANCELLED 44

/**
 * A fault of the library or of the machine (no thread or descriptor to be had).
 */
#define GIGACHAT_ERROR_INTERNAL 60

/**
 * The name of a status, such as "GIGACHAT_ERROR_RATE_LIMIT"; "unknown status" for others.
 *
 * Returns: a static text, never NULL, never to be freed.
 */
GIGACHAT_API
const char *gigachat_status_name(gigachat_status status);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_errors Errors
 *
 * First look at the status of a function, then ask the error handle for what it knows, then
 * gigachat_error_free.
 *
 * @{
 */

/**
 * The error's status, equal to what the failed function returned.
 *
 * Returns: the status; GIGACHAT_ERROR_INVALID_HANDLE for a handle that is not alive.
 */
GIGACHAT_API
gigachat_status gigachat_error_status(const gigachat_error *error);

/**
 * What went wrong and what to do, with HTTP status, service code and request id.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_error_message(const gigachat_error *error,
                                   size_t *length);

/**
 * The cause in lower snake case: "rate_limit", "timeout", "incomplete_stream", ...
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_error_kind(const gigachat_error *error,
                                size_t *length);

/**
 * The part of the call that failed: "input", "start", "queue", "token", "connect", "answer",
 * "body", "first_content", "idle", "total" or "backoff".
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_error_phase(const gigachat_error *error,
                                 size_t *length);

/**
 * The service's X-Request-ID of the failed request, else the one that was sent.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_error_request_id(const gigachat_error *error,
                                      size_t *length);

/**
 * The text that a stream had delivered before it broke.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_error_partial_text(const gigachat_error *error,
                                        size_t *length);

/**
 * The HTTP status of the answer.
 *
 * Returns: the status; 0 when no answer came.
 */
GIGACHAT_API
int32_t gigachat_error_http_status(const gigachat_error *error);

/**
 * The service's own code from the body of an OAuth error (1, 4, 5, 6, 7).
 *
 * Returns: the code; 0 when there was none.
 */
GIGACHAT_API
int64_t gigachat_error_service_code(const gigachat_error *error);

/**
 * How long the service asks to wait before the next request, in milliseconds.
 *
 * Returns: the wait; -1 when it asked for none.
 */
GIGACHAT_API
int64_t gigachat_error_retry_after_ms(const gigachat_error *error);

/**
 * Whether the same call may succeed later without a change.
 *
 * Returns: true or false.
 */
GIGACHAT_API
bool gigachat_error_retryable(const gigachat_error *error);

/**
 * How many requests were sent for this call; token requests are not counted.
 *
 * Returns: the number of requests.
 */
GIGACHAT_API
uint32_t gigachat_error_attempts(const gigachat_error *error);

/**
 * The body of the service's answer, at most 64 KiB of it, as it came: JSON, HTML or anything.
 *
 * Returns: the bytes, not NUL-terminated, and their number in `length`; NULL if there are none.
 */
GIGACHAT_API
const char *gigachat_error_body(const gigachat_error *error,
                                size_t *length);

/**
 * Everything that is known of the error as one JSON object, so that a binding reads it in one
 * call: kind, status, phase, message, http_status, service_code, request_id, retry_after_ms,
 * retryable, attempts, partial_text, body and route_attempts (member, kind, http_status,
 * request_id and duration_ms of each attempt of a routed call). What is unknown is null.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_error_json(const gigachat_error *error,
                                size_t *length);

/**
 * Frees an error.
 */
GIGACHAT_API
void gigachat_error_free(gigachat_error *error);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_configuration Configuration
 *
 * First gigachat_config_new or gigachat_config_from_env, then setters, then
 * gigachat_provider_new, then gigachat_config_free. A program that is configured by its
 * environment alone needs none of it: gigachat_provider_from_env.
 *
 * @{
 */

/**
 * Makes a configuration with the defaults.
 */
GIGACHAT_API
gigachat_status gigachat_config_new(gigachat_config **config,
                                    gigachat_error **error);

/**
 * Makes a configuration from the process's GIGACHAT_* variables (docs/configuration.md lists
 * them). A variable that no option has is ignored with a warning in the log.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming the variable that cannot work.
 * No other thread may change the environment in the meantime.
 */
GIGACHAT_API
gigachat_status gigachat_config_from_env(gigachat_config **config,
                                         gigachat_error **error);

/**
 * Sets any option by its name: "timeout", "ca_bundle_pem", ... docs/configuration.md and
 * api/gigachat.json list all of them with their ranges and defaults; the official Python SDK's
 * names are understood too. `value` is text in every case: times in seconds ("45", "0.5"), truth
 * values as "true" or "false", hosts with commas between them, headers as "Name: value" lines.
 * Hosts and headers are added to those that are there, and the library's own headers are refused.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for an unknown name (the message says
 * which one was meant) or a value out of range.
 */
GIGACHAT_API
gigachat_status gigachat_config_set(gigachat_config *config,
                                    const char *name,
                                    size_t name_length,
                                    const char *value,
                                    size_t value_length);

/**
 * Sets the authorization key: base64 of client_id:client_secret, ready-made in the customer
 * cabinet. What cannot be one (in quotes, id:secret itself, a UUID, not base64) is refused by
 * gigachat_provider_new.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_authorization_key(gigachat_config *config,
                                                      const char *key,
                                                      size_t length);

/**
 * Sets user and password of an installation that serves {base_url}/token.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_user(gigachat_config *config,
                                         const char *user,
                                         size_t user_length,
                                         const char *password,
                                         size_t password_length);

/**
 * Sets the account's kind: "GIGACHAT_API_PERS" (default), "GIGACHAT_API_B2B" or
 * "GIGACHAT_API_CORP".
 */
GIGACHAT_API
gigachat_status gigachat_config_set_scope(gigachat_config *config,
                                          const char *scope,
                                          size_t length);

/**
 * Sets the model of requests that name none; any name that the service knows. Default "GigaChat".
 */
GIGACHAT_API
gigachat_status gigachat_config_set_model(gigachat_config *config,
                                          const char *model,
                                          size_t length);

/**
 * Sets the API's root, default "https://api.giga.chat/v1".
 */
GIGACHAT_API
gigachat_status gigachat_config_set_base_url(gigachat_config *config,
                                             const char *url,
                                             size_t length);

/**
 * Sets the token endpoint, default "https://ngw.devices.sberbank.ru:9443/api/v2/oauth".
 */
GIGACHAT_API
gigachat_status gigachat_config_set_token_url(gigachat_config *config,
                                              const char *url,
                                              size_t length);

/**
 * Adds the root certificates of a PEM file to the system's.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_ca_bundle_file(gigachat_config *config,
                                                   const char *path,
                                                   size_t length);

/**
 * Switches TLS verification off or on; it is on by default. Without it anyone on the network can
 * read the authorization key, and each provider that is made so says it in the log. For a server
 * with a certificate of its own set its root with gigachat_config_set_ca_bundle_file instead.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_verify_tls(gigachat_config *config,
                                               bool verify);

/**
 * Sets a proxy for every host: a URL with http, https, socks5 or socks5h, or a host and a port alone.
 * User and password may stand before the host, their special characters as %XX. It overrides the
 * environment's.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_proxy(gigachat_config *config,
                                          const char *url,
                                          size_t length);

/**
 * Bounds a call from its permit to its end, a stream to its first content: 1 ms to 1 h, default 30
 * s. A stream's silences are bounded by it too, unless the option "idle_timeout" is set.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_timeout_ms(gigachat_config *config,
                                               uint64_t milliseconds);

/**
 * Sets the attempts after the first: 0 to 10, default 3. A 429 that is waited out is none of them;
 * with 0 nothing is sent again, after a 429 neither.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_max_retries(gigachat_config *config,
                                                uint32_t retries);

/**
 * Sets how many generation requests of the credential are in flight at once: 0 to 10000, 0 for no
 * limit. Default 1 for PERS, 10 for B2B and CORP, no limit for a ready-made token or user and
 * password.
 */
GIGACHAT_API
gigachat_status gigachat_config_set_max_concurrency(gigachat_config *config,
                                                    uint32_t limit);

/**
 * Frees a configuration; providers made from it keep their copy.
 */
GIGACHAT_API
void gigachat_config_free(gigachat_config *config);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_providers Providers
 *
 * First make one: over the service, as a router of others, or of functions of the program's.
 * Then call it from any thread for as long as the program likes, then gigachat_provider_free.
 * Providers with equal configurations share their connections, access token and permits.
 *
 * @{
 */

/**
 * A provider over the GigaChat service. Opens no connection and starts no thread; the first
 * call does. Reads SSL_CERT_FILE, SSL_CERT_DIR and, unless the configuration says otherwise, the
 * proxy variables; see the chapter Conventions.
 *
 * Parameters: `provider` receives the handle.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION when the options cannot work together.
 */
GIGACHAT_API
gigachat_status gigachat_provider_new(const gigachat_config *config,
                                      gigachat_provider **provider,
                                      gigachat_error **error);

/**
 * Makes a provider from the process's GIGACHAT_* variables: gigachat_config_from_env and
 * gigachat_provider_new in one.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming the variable that is missing or
 * cannot work.
 * No other thread may change the environment in the meantime.
 */
GIGACHAT_API
gigachat_status gigachat_provider_from_env(gigachat_provider **provider,
                                           gigachat_error **error);

/**
 * How the permits of the provider's credential are used at this moment; all are 0 before the
 * first call, and for routers and custom providers.
 *
 * Parameters: each of the others may be NULL: `limit` receives the limit in force (0 is none; less
 * than configured while the service answers with 429),
 * `held` the permits in use, `by_streams` how many of those belong to open streams, `waiting`
 * the calls that wait for one.
 */
GIGACHAT_API
gigachat_status gigachat_provider_permits(const gigachat_provider *provider,
                                          uint32_t *limit,
                                          uint32_t *held,
                                          uint32_t *by_streams,
                                          size_t *waiting,
                                          gigachat_error **error);

/**
 * Frees a provider. Running calls and streams go on.
 */
GIGACHAT_API
void gigachat_provider_free(gigachat_provider *provider);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_parameters_of_a_call Parameters of a call
 *
 * What a call sets for itself, for prompts and requests alike. First gigachat_params_new, then
 * setters, then any number of calls, then gigachat_params_free.
 *
 * @{
 */

/**
 * Makes parameters of which none is set.
 */
GIGACHAT_API
gigachat_status gigachat_params_new(gigachat_params **params,
                                    gigachat_error **error);

/**
 * Sets any parameter by its name: "temperature", "top_p", "repetition_penalty", "model",
 * "timeout", "deadline", "session_id", "extra_headers", ... docs/configuration.md and
 * api/gigachat.json list all of them with their ranges. `value` is text as for
 * gigachat_config_set. Headers and stop sequences are added to those that are there.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an unknown name (the message says
 * which one was meant) or a value out of range.
 */
GIGACHAT_API
gigachat_status gigachat_params_set(gigachat_params *params,
                                    const char *name,
                                    size_t name_length,
                                    const char *value,
                                    size_t value_length);

/**
 * Sets the temperature: 0.0 (most deterministic) to 2.0. 0 is sent as 0.0001, the least that the
 * service takes.
 */
GIGACHAT_API
gigachat_status gigachat_params_set_temperature(gigachat_params *params,
                                                double temperature);

/**
 * Sets the most tokens that the answer may have: 1 to 2147483647.
 */
GIGACHAT_API
gigachat_status gigachat_params_set_max_tokens(gigachat_params *params,
                                               uint32_t max_tokens);

/**
 * Frees parameters; requests made with them keep their copy.
 */
GIGACHAT_API
void gigachat_params_free(gigachat_params *params);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_requests Requests
 *
 * What is more than a prompt: a conversation, functions, and every other operation of the
 * service. First gigachat_request_new, which names the operation, then what belongs to it,
 * then any number of calls, then gigachat_request_free.
 *
 * @{
 */

/**
 * Makes a request for an operation of the service.
 *
 * Parameters: `operation` is its name: "chat", "models", "model", "health", "embeddings",
 * "tokens_count", "balance", "files", "file_content", "ai_check", "functions_validate", ...
 * (api/gigachat.json lists all of them); or a method and any path of the service, such as
 * "GET /balance" or "POST /v2/new/thing": paths that begin with /v1/, /v2/ or /api/ are the
 * host's, others lie below the base URL, and a query may follow. With length 0 it is "chat".
 * `request` receives the handle.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an unknown operation (the message
 * says which one was meant) or a path that is none.
 */
GIGACHAT_API
gigachat_status gigachat_request_new(const char *operation,
                                     size_t length,
                                     gigachat_request **request,
                                     gigachat_error **error);

/**
 * Sets an option of the call by its name: "model", "temperature", "timeout", "deadline",
 * "request_id", "session_id", ... docs/configuration.md and api/gigachat.json list all of them
 * with their ranges. `value` is text as for gigachat_config_set. Headers and stop sequences are
 * added to those that are there.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an unknown name (the message says
 * which one was meant), a value out of range, or an option of chats for another operation.
 */
GIGACHAT_API
gigachat_status gigachat_request_set(gigachat_request *request,
                                     const char *name,
                                     size_t name_length,
                                     const char *value,
                                     size_t value_length);

/**
 * Sets everything that the parameters set, in place of what the request had for it; what they do
 * not set stays as it is. Later changes of the parameters do not count.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an option of chats for another
 * operation, or the first setting of the parameters that was refused.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_params(gigachat_request *request,
                                            const gigachat_params *params);

/**
 * Sets a header of this call, in place of the configuration's of the same name. The library's own
 * headers are refused.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_header(gigachat_request *request,
                                            const char *name,
                                            size_t name_length,
                                            const char *value,
                                            size_t value_length);

/**
 * Fills in a name of the operation's path: "model" of "model", "id" of "file_content".
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for a name that the path does not have
 * or a value that can be no part of a path.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_path(gigachat_request *request,
                                          const char *name,
                                          size_t name_length,
                                          const char *value,
                                          size_t value_length);

/**
 * Sets a parameter of the query, in place of an earlier one of the same name.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for an empty name.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_query(gigachat_request *request,
                                           const char *name,
                                           size_t name_length,
                                           const char *value,
                                           size_t value_length);

/**
 * Sets the body to JSON in the service's wire format, which is sent byte for byte. Of "chat" it is
 * an object with at least "messages", in place of all messages, functions and fields that were set
 * before: known fields are checked for type, unknown ones pass through byte for byte, "stop" (a
 * text or a list) is applied by the library, and "stream" does not decide, the function that is
 * called does. Of "embeddings" and "tokens_count" it is an object with "input".
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming the field and what it must be.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_json(gigachat_request *request,
                                          const char *json,
                                          size_t length);

/**
 * Sets the body to bytes, for operations that take them ("batch_create", "functions_convert") and
 * for paths.
 *
 * Parameters: `content_type` is a MIME type; with length 0 it is the operation's own. `bytes` are
 * copied.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_bytes(gigachat_request *request,
                                           const char *content_type,
                                           size_t content_type_length,
                                           const void *bytes,
                                           size_t size);

/**
 * Adds a text to a request for "embeddings" or "tokens_count".
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for another operation.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_text(gigachat_request *request,
                                          const char *text,
                                          size_t length);

/**
 * Adds a message to a chat. Roles: "system" (first, at most once), "user", "assistant",
 * "function", or whatever the service adds.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for another operation.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_message(gigachat_request *request,
                                             const char *role,
                                             size_t role_length,
                                             const char *content,
                                             size_t content_length);

/**
 * Adds a message to a chat in the wire format, for what the typed form has no words for
 * (attachments, function_call, functions_state_id).
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_message_json(gigachat_request *request,
                                                  const char *message,
                                                  size_t length);

/**
 * Adds to a chat the result, as JSON, of the function that the model called.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_function_result(gigachat_request *request,
                                                     const char *name,
                                                     size_t name_length,
                                                     const char *result,
                                                     size_t result_length);

/**
 * Adds an answer to the conversation, with the functions that it calls and its state, in the form
 * of whichever chat the request is sent to. A result for each call follows.
 *
 * Parameters: `response` is the answer of a chat, as a whole or of a stream; it is copied.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST for the answer of another operation.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_response(gigachat_request *request,
                                              const gigachat_response *response);

/**
 * Adds the result of a function that an answer calls, behind that answer. The service takes
 * objects, so that any other JSON is sent as {"result": ...}. A choice of tools that demanded a
 * call ends with it, since the model would have to call again and again.
 *
 * Parameters: `index` says which of the answer's calls it is the result of, from 0; `result` is
 * JSON.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_result(gigachat_request *request,
                                            const gigachat_response *response,
                                            size_t index,
                                            const char *result,
                                            size_t length);

/**
 * Adds to a chat a function that the model may call: its JSON description with "name" and
 * "parameters", passed through unchanged.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_add_function(gigachat_request *request,
                                              const char *description,
                                              size_t length);

/**
 * Sets any other field of a chat's wire format to a JSON value: "response_format",
 * "function_call", ... Fields that gigachat_request_set sets are refused.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_REQUEST naming what is wrong.
 */
GIGACHAT_API
gigachat_status gigachat_request_set_field(gigachat_request *request,
                                           const char *name,
                                           size_t name_length,
                                           const char *value,
                                           size_t value_length);

/**
 * Frees a request; calls made with it keep their copy.
 */
GIGACHAT_API
void gigachat_request_free(gigachat_request *request);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_blocking_calls Blocking calls
 *
 * The function returns when the answer is there. A token made with gigachat_cancel_new ends
 * it from another thread.
 *
 * @{
 */

/**
 * A token that is not cancelled.
 */
GIGACHAT_API
gigachat_status gigachat_cancel_new(gigachat_cancel **cancel,
                                    gigachat_error **error);

/**
 * Ends every call that this token was passed to; each returns GIGACHAT_ERROR_CANCELLED, unless its
 * result was there already. Returns at once; may be called any number of times.
 */
GIGACHAT_API
gigachat_status gigachat_cancel_now(gigachat_cancel *cancel,
                                    gigachat_error **error);

/**
 * Answers a prompt and waits for the answer.
 *
 * Parameters: `params` and `cancel` may be NULL; `response` receives the answer.
 * Returns: GIGACHAT_OK, or the cause of the failure.
 */
GIGACHAT_API
gigachat_status gigachat_generate(const gigachat_provider *provider,
                                  const char *prompt,
                                  size_t length,
                                  const gigachat_params *params,
                                  const gigachat_cancel *cancel,
                                  gigachat_response **response,
                                  gigachat_error **error);

/**
 * Sends a request, whatever its operation, and waits for the answer.
 *
 * Parameters: `cancel` may be NULL; `response` receives the answer.
 * Returns: GIGACHAT_OK; the first setting of the request that was refused; otherwise the cause of
 * the failure.
 */
GIGACHAT_API
gigachat_status gigachat_perform(const gigachat_provider *provider,
                                 const gigachat_request *request,
                                 const gigachat_cancel *cancel,
                                 gigachat_response **response,
                                 gigachat_error **error);

/**
 * Whether the provider can serve now: gets a token and lists the models. Costs no tokens, needs
 * no permit, never answers from memory.
 *
 * Parameters: `timeout_ms` bounds the check, negative is the configured health_timeout;
 * `cancel` may be NULL; `latency_us` may be NULL and receives how long it took.
 * Returns: GIGACHAT_OK when it can serve; otherwise why not.
 */
GIGACHAT_API
gigachat_status gigachat_health_check(const gigachat_provider *provider,
                                      int64_t timeout_ms,
                                      const gigachat_cancel *cancel,
                                      uint64_t *latency_us,
                                      gigachat_error **error);

/**
 * Frees a token. Calls that use it go on and can't be ended by it any more.
 */
GIGACHAT_API
void gigachat_cancel_free(gigachat_cancel *cancel);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_answers Answers
 *
 * First a call that succeeded, then whatever of its answer is of interest, then
 * gigachat_response_free.
 *
 * @{
 */

/**
 * The text of a chat's answer, cut before the first stop sequence; empty for a function call.
 *
 * Returns: the string; NULL for the answer of another operation.
 */
GIGACHAT_API
const char *gigachat_response_text(const gigachat_response *response,
                                   size_t *length);

/**
 * Why the answer ended: "stop", "length", "function_call", "blacklist", "error", or a newer one.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_finish_reason(const gigachat_response *response,
                                            size_t *length);

/**
 * The model that answered, with its version ("GigaChat:2.0.28.2"). It is not the requested name.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_model(const gigachat_response *response,
                                    size_t *length);

/**
 * The function that the model asks the program to call.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_function_name(const gigachat_response *response,
                                            size_t *length);

/**
 * The arguments of that function as a JSON object, byte for byte as the service wrote it.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_function_arguments(const gigachat_response *response,
                                                 size_t *length);

/**
 * The name of one of the functions that the model asks the program to call.
 *
 * Parameters: `index` counts from 0.
 * Returns: the string; NULL when there are not so many: chat v2 calls several, v1 one at the most.
 */
GIGACHAT_API
const char *gigachat_response_call_name(const gigachat_response *response,
                                        size_t index,
                                        size_t *length);

/**
 * The arguments of one of those functions as a JSON object, byte for byte as the service wrote it.
 *
 * Parameters: `index` counts from 0.
 * Returns: the string; NULL when there are not so many.
 */
GIGACHAT_API
const char *gigachat_response_call_arguments(const gigachat_response *response,
                                             size_t index,
                                             size_t *length);

/**
 * The state id to send back in the assistant message as "functions_state_id".
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_functions_state_id(const gigachat_response *response,
                                                 size_t *length);

/**
 * The service's X-Request-ID, else the one that was sent.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_request_id(const gigachat_response *response,
                                         size_t *length);

/**
 * The service's X-Session-ID.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_response_session_id(const gigachat_response *response,
                                         size_t *length);

/**
 * The answer's body byte for byte as it came: JSON, or whatever the operation gives; empty for the
 * answer of a stream, and of "embeddings", which are kept as floats only.
 *
 * Returns: the bytes, followed by a NUL, and their number in `length`; NULL for a handle that is
 * not alive. JSON is UTF-8, other bytes are what they are.
 */
GIGACHAT_API
const char *gigachat_response_body(const gigachat_response *response,
                                   size_t *length);

/**
 * The MIME type of the body.
 *
 * Returns: the string, empty when the service named none; NULL for a handle that is not alive.
 */
GIGACHAT_API
const char *gigachat_response_content_type(const gigachat_response *response,
                                           size_t *length);

/**
 * The text at a JSON pointer (RFC 6901) into the body: "/data/0/id"; "" is the whole body.
 *
 * Parameters: `pointer` is the JSON pointer, where ~1 stands for / and ~0 for ~ in a name.
 * Returns: the string; NULL when there is no text there.
 */
GIGACHAT_API
const char *gigachat_response_text_at(const gigachat_response *response,
                                      const char *pointer,
                                      size_t pointer_length,
                                      size_t *length);

/**
 * The whole number at a JSON pointer; of a truth value 1 or 0.
 *
 * Parameters: `pointer` as for gigachat_response_text_at; `value` receives the number.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NOT_FOUND when there is no whole number there, or none
 * that an int64_t holds.
 */
GIGACHAT_API
gigachat_status gigachat_response_integer_at(const gigachat_response *response,
                                             const char *pointer,
                                             size_t length,
                                             int64_t *value,
                                             gigachat_error **error);

/**
 * The number at a JSON pointer.
 *
 * Parameters: `pointer` as for gigachat_response_text_at; `value` receives the number.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NOT_FOUND when there is no number there.
 */
GIGACHAT_API
gigachat_status gigachat_response_number_at(const gigachat_response *response,
                                            const char *pointer,
                                            size_t length,
                                            double *value,
                                            gigachat_error **error);

/**
 * How many elements the list, or members the object, at a JSON pointer has.
 *
 * Parameters: `pointer` as for gigachat_response_text_at.
 * Returns: the number; -1 when there is neither a list nor an object there.
 */
GIGACHAT_API
int64_t gigachat_response_count_at(const gigachat_response *response,
                                   const char *pointer,
                                   size_t length);

/**
 * The vectors of "embeddings": one row for each text, in the order of the texts, all of one width
 * and finite.
 *
 * Parameters: `rows` and `columns` may be NULL and receive how many rows there are and how wide
 * each is.
 * Returns: the numbers row by row, borrowed until the response is freed; NULL, and 0 for both
 * counts, for the answer of another operation.
 */
GIGACHAT_API
const float *gigachat_response_vectors(const gigachat_response *response,
                                       size_t *rows,
                                       size_t *columns);

/**
 * Tokens of the messages or texts, as the service counted them.
 *
 * Returns: the number of tokens; -1 when the service sent no usage.
 */
GIGACHAT_API
int64_t gigachat_response_prompt_tokens(const gigachat_response *response);

/**
 * Tokens of the answer, as the service counted them.
 *
 * Returns: the number of tokens; -1 when the service sent no usage.
 */
GIGACHAT_API
int64_t gigachat_response_completion_tokens(const gigachat_response *response);

/**
 * The total, as the service counted it.
 *
 * Returns: the number of tokens; -1 when the service sent no usage.
 */
GIGACHAT_API
int64_t gigachat_response_total_tokens(const gigachat_response *response);

/**
 * Prompt tokens that came from the session's cache.
 *
 * Returns: the number of tokens; -1 when the service sent no usage.
 */
GIGACHAT_API
int64_t gigachat_response_precached_prompt_tokens(const gigachat_response *response);

/**
 * How long the call waited for a permit.
 *
 * Returns: microseconds.
 */
GIGACHAT_API
uint64_t gigachat_response_queue_us(const gigachat_response *response);

/**
 * How long the call waited for an access token.
 *
 * Returns: microseconds.
 */
GIGACHAT_API
uint64_t gigachat_response_token_us(const gigachat_response *response);

/**
 * From the permit to the first byte of the answer.
 *
 * Returns: microseconds.
 */
GIGACHAT_API
uint64_t gigachat_response_first_byte_us(const gigachat_response *response);

/**
 * From the permit to the first content.
 *
 * Returns: microseconds.
 */
GIGACHAT_API
uint64_t gigachat_response_first_content_us(const gigachat_response *response);

/**
 * From the start of the call to its end.
 *
 * Returns: microseconds.
 */
GIGACHAT_API
uint64_t gigachat_response_total_us(const gigachat_response *response);

/**
 * How many requests were sent for this call; token requests are not counted.
 *
 * Returns: the number of requests.
 */
GIGACHAT_API
uint32_t gigachat_response_attempts(const gigachat_response *response);

/**
 * The text itself.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_text_data(const gigachat_text *text,
                               size_t *length);

/**
 * Frees a response.
 */
GIGACHAT_API
void gigachat_response_free(gigachat_response *response);

/**
 * Frees a text.
 */
GIGACHAT_API
void gigachat_text_free(gigachat_text *text);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_streams Streams
 *
 * First open one, then gigachat_stream_next_text (or gigachat_stream_next, for more than the
 * text) until GIGACHAT_STREAM_END, then gigachat_stream_response for what the answer was as a
 * whole, then gigachat_stream_free.
 *
 * @{
 */

/**
 * What an event is. Newer versions may add types; skip those that are unknown.
 */
typedef int32_t gigachat_event_type;

/**
 * A piece of the answer's text: gigachat_event_text.
 */
#define GIGACHAT_EVENT_TEXT 1

/**
 * The function to call, whole: gigachat_event_name, gigachat_event_text (arguments).
 */
#define GIGACHAT_EVENT_FUNCTION_CALL 2

/**
 * A built-in function is at work: gigachat_event_name, gigachat_event_text (what the service says
 * of it, the seconds left). Not part of the answer's text.
 */
#define GIGACHAT_EVENT_PROGRESS 3

/**
 * Token usage, once, near the end: gigachat_event_prompt_tokens and its kin.
 */
#define GIGACHAT_EVENT_USAGE 4

/**
 * A piece of what the model thinks before it answers: gigachat_event_text. Not part of the answer's
 * text.
 */
#define GIGACHAT_EVENT_REASONING 5

/**
 * A file that the service made (chat v2): gigachat_event_text (its id), gigachat_event_name ("image",
 * "audio", "3dmodel" or a newer kind).
 */
#define GIGACHAT_EVENT_FILE 6

/**
 * What the event is.
 *
 * Returns: one of the GIGACHAT_EVENT_ constants; 0 for a handle that is not alive.
 */
GIGACHAT_API
gigachat_event_type gigachat_event_kind(const gigachat_event *event);

/**
 * The text of a text or reasoning event, the arguments (JSON) of a function call, what a progress
 * event says, the id of a file.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_event_text(const gigachat_event *event,
                                size_t *length);

/**
 * The function's name, of a function call or progress event; the kind of a file.
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_event_name(const gigachat_event *event,
                                size_t *length);

/**
 * The state id of a function call, to send back as "functions_state_id".
 *
 * Returns: the string; NULL if there is none.
 */
GIGACHAT_API
const char *gigachat_event_functions_state_id(const gigachat_event *event,
                                              size_t *length);

/**
 * Tokens of the messages, of a usage event.
 *
 * Returns: the number of tokens; -1 for other events.
 */
GIGACHAT_API
int64_t gigachat_event_prompt_tokens(const gigachat_event *event);

/**
 * Tokens of the answer, of a usage event.
 *
 * Returns: the number of tokens; -1 for other events.
 */
GIGACHAT_API
int64_t gigachat_event_completion_tokens(const gigachat_event *event);

/**
 * The total, of a usage event.
 *
 * Returns: the number of tokens; -1 for other events.
 */
GIGACHAT_API
int64_t gigachat_event_total_tokens(const gigachat_event *event);

/**
 * Prompt tokens that came from the session's cache, of a usage event.
 *
 * Returns: the number of tokens; -1 for other events.
 */
GIGACHAT_API
int64_t gigachat_event_precached_prompt_tokens(const gigachat_event *event);

/**
 * Begins to answer a prompt part by part. The request is sent at once; its failure comes from
 * the first gigachat_stream_next.
 *
 * Parameters: `params` may be NULL; `stream` receives the handle.
 * Returns: GIGACHAT_OK, or why the request could not be begun.
 */
GIGACHAT_API
gigachat_status gigachat_generate_stream(const gigachat_provider *provider,
                                         const char *prompt,
                                         size_t length,
                                         const gigachat_params *params,
                                         gigachat_stream **stream,
                                         gigachat_error **error);

/**
 * Begins to answer a request part by part, as gigachat_generate_stream.
 *
 * Parameters: `request` is for an operation that answers in parts: "chat"; `stream` receives the
 * handle.
 * Returns: GIGACHAT_OK; the first setting of the request that was refused;
 * GIGACHAT_ERROR_INVALID_REQUEST for an operation that does not answer in parts; or why the request
 * could not be begun.
 */
GIGACHAT_API
gigachat_status gigachat_open(const gigachat_provider *provider,
                              const gigachat_request *request,
                              gigachat_stream **stream,
                              gigachat_error **error);

/**
 * Waits for the next event.
 *
 * Parameters: `timeout_ms` bounds the wait: 0 looks without waiting, negative waits as long as
 * the stream's own time limits let it; `event` receives the event.
 * Returns: GIGACHAT_OK with an event; GIGACHAT_STREAM_END when the answer is complete;
 * GIGACHAT_NOT_YET when nothing came in time; otherwise why the stream broke, after everything
 * that had arrived before it was read (the error has the partial text).
 */
GIGACHAT_API
gigachat_status gigachat_stream_next(gigachat_stream *stream,
                                     int64_t timeout_ms,
                                     gigachat_event **event,
                                     gigachat_error **error);

/**
 * Waits for the next piece of text. Other events are passed over; what they say is in
 * gigachat_stream_response, and gigachat_stream_next gives them as they come.
 *
 * Parameters: `timeout_ms` as for gigachat_stream_next; `text` receives the piece, never empty,
 * which is lent until the next call of this function with this stream, or until the stream is
 * freed.
 * Returns: as gigachat_stream_next.
 */
GIGACHAT_API
gigachat_status gigachat_stream_next_text(gigachat_stream *stream,
                                          int64_t timeout_ms,
                                          const char **text,
                                          size_t *length,
                                          gigachat_error **error);

/**
 * The whole answer of a stream that was read to its end: text, finish reason, usage, ids,
 * timings, as if it had come as a whole (its JSON is empty).
 *
 * Parameters: `response` receives the answer.
 * Returns: GIGACHAT_OK, or GIGACHAT_NOT_YET before gigachat_stream_next returned
 * GIGACHAT_STREAM_END.
 */
GIGACHAT_API
gigachat_status gigachat_stream_response(const gigachat_stream *stream,
                                         gigachat_response **response,
                                         gigachat_error **error);

/**
 * Ends the stream now. The reader gets GIGACHAT_ERROR_CANCELLED with all text that had arrived;
 * the connection or HTTP/2 stream is closed and the permit is free. A stream that has ended
 * stays as it ended. Returns at once; may be called any number of times.
 */
GIGACHAT_API
gigachat_status gigachat_stream_cancel(gigachat_stream *stream,
                                       gigachat_error **error);

/**
 * Posts `tag` to `queue` whenever there is something to read after there was nothing, and at
 * once when there is something now. Read with timeout 0 until GIGACHAT_NOT_YET. Attaching again
 * replaces queue and tag.
 *
 * The queue may be freed; its tags are then posted to nobody.
 */
GIGACHAT_API
gigachat_status gigachat_stream_attach(gigachat_stream *stream,
                                       gigachat_queue *queue,
                                       uint64_t tag,
                                       gigachat_error **error);

/**
 * Frees an event.
 */
GIGACHAT_API
void gigachat_event_free(gigachat_event *event);

/**
 * Frees a stream; one that has not ended is cancelled, and a thread that reads it gets
 * GIGACHAT_ERROR_CANCELLED.
 */
GIGACHAT_API
void gigachat_stream_free(gigachat_stream *stream);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_calls_that_run_in_the_background Calls that run in the background
 *
 * First start one, then wait for it (gigachat_call_wait), be called back
 * (gigachat_call_on_done) or attach it to a queue, then gigachat_call_take for its result,
 * then gigachat_call_free.
 *
 * @{
 */

/**
 * Called once when the call has ended, on a thread of the library; see gigachat_call_on_done.
 * `status` tells how it ended; take the result from `call`. Must not throw.
 */
typedef void (*gigachat_call_callback)(void *user_data,
                                       gigachat_call *call,
                                       gigachat_status status);

/**
 * Starts to answer a prompt.
 *
 * Parameters: `params` may be NULL; `call` receives the handle.
 * Returns: GIGACHAT_OK, or why the call could not be started.
 */
GIGACHAT_API
gigachat_status gigachat_generate_start(const gigachat_provider *provider,
                                        const char *prompt,
                                        size_t length,
                                        const gigachat_params *params,
                                        gigachat_call **call,
                                        gigachat_error **error);

/**
 * Starts to answer a request, whatever its operation. Of "health" the answer's
 * gigachat_response_total_us is how long the check took.
 *
 * Parameters: `call` receives the handle.
 * Returns: GIGACHAT_OK; the first setting of the request that was refused; or why the call could
 * not be started.
 */
GIGACHAT_API
gigachat_status gigachat_start(const gigachat_provider *provider,
                               const gigachat_request *request,
                               gigachat_call **call,
                               gigachat_error **error);

/**
 * Waits until the call has ended.
 *
 * Parameters: `timeout_ms` bounds the wait: 0 looks without waiting, negative waits as long as
 * the call's own time limits let it, and at most a second longer (see Conventions, Waits).
 * Returns: GIGACHAT_OK when it has ended, however; GIGACHAT_NOT_YET when it goes on.
 */
GIGACHAT_API
gigachat_status gigachat_call_wait(gigachat_call *call,
                                   int64_t timeout_ms,
                                   gigachat_error **error);

/**
 * Takes the answer of a call, without waiting, once.
 *
 * Parameters: `response` receives the answer.
 * Returns: GIGACHAT_OK; GIGACHAT_NOT_YET while the call runs; GIGACHAT_ERROR_ALREADY_TAKEN the
 * second time; otherwise the cause of the call's failure.
 */
GIGACHAT_API
gigachat_status gigachat_call_take(gigachat_call *call,
                                   gigachat_response **response,
                                   gigachat_error **error);

/**
 * Ends the call as cancelled, unless its result is there already. Returns at once; may be called
 * before, during and after the call, any number of times.
 */
GIGACHAT_API
gigachat_status gigachat_call_cancel(gigachat_call *call,
                                     gigachat_error **error);

/**
 * Calls `callback` once when the call has ended, also when it has ended already; then calls
 * `destroy` once with the user data. Both run on a callback thread of the library, where
 * everything is allowed but gigachat_shutdown. A call has one callback or one queue.
 *
 * Freeing the call cancels it: the callback still runs once, with GIGACHAT_ERROR_CANCELLED and a
 * handle that is dead by then. After the program called exit, neither runs.
 *
 * Parameters: `user_data` is passed back as it is; `destroy` may be NULL.
 * Returns: GIGACHAT_OK; GIGACHAT_ERROR_ALREADY_SET when the call has one; on any failure
 * neither function is ever called, and the user data stays the program's.
 */
GIGACHAT_API
gigachat_status gigachat_call_on_done(gigachat_call *call,
                                      gigachat_call_callback callback,
                                      void *user_data,
                                      gigachat_destroy_callback destroy,
                                      gigachat_error **error);

/**
 * Posts `tag` to `queue` once when the call has ended, also when it has ended already. A call
 * has one callback or one queue.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_ALREADY_SET when the call has one.
 * The queue may be freed before; the tag is then posted to nobody.
 */
GIGACHAT_API
gigachat_status gigachat_call_attach(gigachat_call *call,
                                     gigachat_queue *queue,
                                     uint64_t tag,
                                     gigachat_error **error);

/**
 * Frees a call; one that has not ended is cancelled.
 */
GIGACHAT_API
void gigachat_call_free(gigachat_call *call);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_completion_queues Completion queues
 *
 * For programs with an event loop. First gigachat_queue_new, then watch its descriptor for
 * reading, then attach calls and streams with a tag each, then, whenever it is readable,
 * gigachat_queue_take until GIGACHAT_NOT_YET, then gigachat_queue_free.
 *
 * @{
 */

/**
 * An empty queue. A forked child makes its own.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INTERNAL when no descriptor can be had.
 */
GIGACHAT_API
gigachat_status gigachat_queue_new(gigachat_queue **queue,
                                   gigachat_error **error);

/**
 * The queue's descriptor: readable while the queue is not empty, for epoll, poll, libuv, asyncio
 * and others. Only gigachat_queue_take clears it; the program neither reads nor closes it. It may
 * be readable once with nothing to take: gigachat_queue_take with timeout 0 tells.
 *
 * Parameters: `descriptor` receives it; it stays valid until the queue is freed.
 * Returns: GIGACHAT_OK; GIGACHAT_ERROR_INVALID_HANDLE; GIGACHAT_ERROR_INTERNAL when the program
 * has closed it: a new queue is needed.
 */
GIGACHAT_API
gigachat_status gigachat_queue_descriptor(const gigachat_queue *queue,
                                          int64_t *descriptor,
                                          gigachat_error **error);

/**
 * Posts a tag as an ended call does, so that a program can wake its own loop: to add work, to stop
 * it. Which tags are calls, streams or its own, is the program's to tell apart.
 *
 * Parameters: `tag` is any number; the same one may be posted again.
 * Returns: GIGACHAT_OK, GIGACHAT_ERROR_INVALID_HANDLE, or GIGACHAT_ERROR_FORKED.
 */
GIGACHAT_API
gigachat_status gigachat_queue_post(gigachat_queue *queue,
                                    uint64_t tag,
                                    gigachat_error **error);

/**
 * Takes tags in the order in which they came.
 *
 * Parameters: `timeout_ms` bounds the wait for the first tag: 0 looks without waiting, negative
 * waits until there is one; `tags` has room for `capacity` of them; `count` receives how many were
 * taken. A call whose own time limits have passed ends here, when the library's threads cannot end
 * it any more.
 * Returns: GIGACHAT_OK with at least one; GIGACHAT_NOT_YET with none; GIGACHAT_ERROR_INTERNAL when
 * there is none and the program has closed the queue's descriptor; GIGACHAT_ERROR_CANCELLED when
 * the queue was freed meanwhile. gigachat_shutdown wakes nobody here: gigachat_queue_post does.
 * Several threads may take from one queue.
 */
GIGACHAT_API
gigachat_status gigachat_queue_take(gigachat_queue *queue,
                                    int64_t timeout_ms,
                                    uint64_t *tags,
                                    size_t capacity,
                                    size_t *count,
                                    gigachat_error **error);

/**
 * Frees a queue. Calls and streams that were attached go on, their tags are posted to nobody. Who
 * waits in gigachat_queue_take gets GIGACHAT_ERROR_CANCELLED. Take the descriptor out of the event
 * loop first.
 */
GIGACHAT_API
void gigachat_queue_free(gigachat_queue *queue);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_routers Routers
 *
 * A router combines several keys, scopes and models into one provider. First
 * gigachat_router_options_new and its settings, then gigachat_router_new, then
 * gigachat_router_add for each member, then calls as to any provider.
 *
 * @{
 */

/**
 * A router without members. It is a provider: every function that takes a provider takes it,
 * and it can be a member of another router.
 *
 * Parameters: `options` may be NULL for the defaults; `router` receives the handle.
 */
GIGACHAT_API
gigachat_status gigachat_router_new(const gigachat_router_options *options,
                                    gigachat_provider **router,
                                    gigachat_error **error);

/**
 * Adds a member; possible while requests run.
 *
 * At most 16 routers can lie in each other, this one and `member` included.
 *
 * Parameters: `member` is any provider that does not lead back to this router; `name` with length 0 is the
 * provider's own, a name that is taken gets a number; `weight` 1 to 1000 is how many requests it
 * gets compared with the others; `id` may be NULL and receives what gigachat_router_remove takes.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for a weight out of range, a
 * circle, or a nesting that is too deep.
 * The member is shared; its handle may be freed.
 */
GIGACHAT_API
gigachat_status gigachat_router_add(gigachat_provider *router,
                                    const gigachat_provider *member,
                                    const char *name,
                                    size_t length,
                                    uint32_t weight,
                                    uint64_t *id,
                                    gigachat_error **error);

/**
 * Removes a member; its running attempts go on. Possible while requests run.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NOT_FOUND when `id` is no member.
 */
GIGACHAT_API
gigachat_status gigachat_router_remove(gigachat_provider *router,
                                       uint64_t id,
                                       gigachat_error **error);

/**
 * Sets the price of a model's tokens, for the cost in the metrics. A model without a price costs
 * nothing, and the metrics say so.
 *
 * Parameters: `model` as answers name it, with or without its version; prices are for 1000
 * tokens, 0 or more.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming what is accepted.
 */
GIGACHAT_API
gigachat_status gigachat_router_set_price(gigachat_provider *router,
                                          const char *model,
                                          size_t length,
                                          double prompt_per_1000,
                                          double completion_per_1000,
                                          gigachat_error **error);

/**
 * What is known of the members, as JSON: requests, successes, failures by kind, in flight,
 * latency, time to first content, tokens, cost, retries, probes and their failures, cooldown,
 * health. `health_status` is of the last minute: "unhealthy" is at least 60 % errors of 5 requests or
 * more, three failures in a row with nothing answered, or a credential that is refused; "degraded"
 * at least 30 % errors of 5 requests or more. Failed probes count as errors. Members that were
 * removed stand in `removed` with their counters, which a member added under the same name takes
 * over.
 *
 * Parameters: `json` receives the text.
 */
GIGACHAT_API
gigachat_status gigachat_router_metrics_json(const gigachat_provider *router,
                                             gigachat_text **json,
                                             gigachat_error **error);

/**
 * The same in Prometheus' text format, for the program's own HTTP server.
 *
 * Parameters: `text` receives the text.
 */
GIGACHAT_API
gigachat_status gigachat_router_prometheus(const gigachat_provider *router,
                                           gigachat_text **text,
                                           gigachat_error **error);

/**
 * Makes settings with the defaults: round-robin, no total deadline, no retries of the members'
 * own.
 */
GIGACHAT_API
gigachat_status gigachat_router_options_new(gigachat_router_options **options,
                                            gigachat_error **error);

/**
 * Sets a setting by its name: "strategy" ("round-robin", "random", "first-available",
 * "best-available"), "deadline", "cooldown", "member_retries", ... docs/configuration.md and
 * api/gigachat.json list all of them with their ranges and defaults. `value` is text as for
 * gigachat_config_set.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for an unknown name (the message says
 * which one was meant) or a value out of range.
 */
GIGACHAT_API
gigachat_status gigachat_router_options_set(gigachat_router_options *options,
                                            const char *name,
                                            size_t name_length,
                                            const char *value,
                                            size_t value_length);

/**
 * Frees settings; routers made with them keep their copy.
 */
GIGACHAT_API
void gigachat_router_options_free(gigachat_router_options *options);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_custom_providers Custom providers
 *
 * A provider that the program answers itself. First gigachat_custom_options_new, then its
 * callbacks, then gigachat_custom_new; for each request a callback runs, which answers
 * through a reply.
 *
 * @{
 */

/**
 * Begins to answer a request: called on a callback thread, must return at once and answer through
 * `reply`, which it owns. `request` is the request in the wire format, NUL-terminated, valid
 * during the call; never NULL, and empty for a health check. The time limits of the request are
 * kept by the library, also when this does not return: what is answered later is dropped.
 */
typedef void (*gigachat_custom_callback)(void *user_data,
                                         const char *request,
                                         gigachat_reply *reply);

/**
 * Called once when nobody waits for the reply any more.
 */
typedef void (*gigachat_reply_cancelled_callback)(void *user_data);

/**
 * Makes the options of a custom provider, without callbacks.
 *
 * Parameters: `name` is the provider's in logs, metrics and router reports; `options` receives the
 * handle.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for an empty name.
 */
GIGACHAT_API
gigachat_status gigachat_custom_options_new(const char *name,
                                            size_t length,
                                            gigachat_custom_options **options,
                                            gigachat_error **error);

/**
 * Sets what answers a request as a whole: gigachat_reply_finish or gigachat_reply_finish_json.
 */
GIGACHAT_API
gigachat_status gigachat_custom_options_set_generate(gigachat_custom_options *options,
                                                     gigachat_custom_callback callback);

/**
 * Sets what answers a request in parts: gigachat_reply_push, then gigachat_reply_finish. Without
 * it streams fail with GIGACHAT_ERROR_INVALID_REQUEST.
 */
GIGACHAT_API
gigachat_status gigachat_custom_options_set_stream(gigachat_custom_options *options,
                                                   gigachat_custom_callback callback);

/**
 * Sets what answers a health check: gigachat_reply_finish or gigachat_reply_fail. Without it the
 * provider counts as healthy.
 */
GIGACHAT_API
gigachat_status gigachat_custom_options_set_health_check(gigachat_custom_options *options,
                                                         gigachat_custom_callback callback);

/**
 * Makes the provider: usable by itself and as a member of routers.
 *
 * Parameters: `user_data` is passed to every callback; `destroy` may be NULL and is called once
 * after the last use, when the provider and its last request are gone; `provider` receives the
 * handle.
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NULL_ARGUMENT when no generate callback was set; on
 * failure `destroy` is not called.
 */
GIGACHAT_API
gigachat_status gigachat_custom_new(const gigachat_custom_options *options,
                                    void *user_data,
                                    gigachat_destroy_callback destroy,
                                    gigachat_provider **provider,
                                    gigachat_error **error);

/**
 * Answers a generate request with a text, a stream with its last piece, a health check with
 * "healthy" (the text is ignored). `finish_reason` with length 0 is "stop".
 *
 * Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
 * GIGACHAT_ERROR_ALREADY_TAKEN when it was answered before.
 */
GIGACHAT_API
gigachat_status gigachat_reply_finish(gigachat_reply *reply,
                                      const char *text,
                                      size_t length,
                                      const char *finish_reason,
                                      size_t finish_reason_length,
                                      gigachat_error **error);

/**
 * Answers a generate request with a completion in the wire format: choices, usage, model.
 *
 * Returns: GIGACHAT_OK (also when the request was cancelled meanwhile); GIGACHAT_ERROR_PROTOCOL
 * when the JSON is no completion; GIGACHAT_ERROR_INVALID_REQUEST when the request asked for a
 * stream or a health check; GIGACHAT_ERROR_ALREADY_TAKEN.
 */
GIGACHAT_API
gigachat_status gigachat_reply_finish_json(gigachat_reply *reply,
                                           const char *json,
                                           size_t length,
                                           gigachat_error **error);

/**
 * Delivers the next piece of a stream; does not wait for its reader.
 *
 * Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
 * GIGACHAT_ERROR_INVALID_REQUEST when the request asked for no stream.
 * The pieces come in the order of the calls: one thread at a time.
 */
GIGACHAT_API
gigachat_status gigachat_reply_push(gigachat_reply *reply,
                                    const char *text,
                                    size_t length,
                                    gigachat_error **error);

/**
 * Answers with a failure.
 *
 * Parameters: `status` is one of the GIGACHAT_ERROR_ constants of the service's errors (a router
 * decides by it whether the next member is asked); `retry_after_ms` negative is none.
 * Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
 * GIGACHAT_ERROR_ALREADY_TAKEN when it was answered before.
 */
GIGACHAT_API
gigachat_status gigachat_reply_fail(gigachat_reply *reply,
                                    gigachat_status status,
                                    const char *message,
                                    size_t length,
                                    int64_t retry_after_ms,
                                    gigachat_error **error);

/**
 * Whether nobody waits for the reply any more: cancelled, timed out, or shut down.
 *
 * Returns: true or false; true for a handle that is not alive.
 */
GIGACHAT_API
bool gigachat_reply_is_cancelled(const gigachat_reply *reply);

/**
 * Calls `callback` once, on a callback thread, when nobody waits for the reply any more, also when
 * that is so already; then, or when the reply is answered, calls `destroy` once.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_ALREADY_SET the second time, or
 * GIGACHAT_ERROR_ALREADY_TAKEN after the answer; then neither function is called.
 */
GIGACHAT_API
gigachat_status gigachat_reply_on_cancel(gigachat_reply *reply,
                                         gigachat_reply_cancelled_callback callback,
                                         void *user_data,
                                         gigachat_destroy_callback destroy,
                                         gigachat_error **error);

/**
 * Frees a builder; providers made with it go on.
 */
GIGACHAT_API
void gigachat_custom_options_free(gigachat_custom_options *options);

/**
 * Frees a reply; one that was not answered fails its request.
 */
GIGACHAT_API
void gigachat_reply_free(gigachat_reply *reply);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_the_log The log
 *
 * What the library has to say beside results, for a callback of the program's.
 *
 * @{
 */

/**
 * How important a log record is.
 */
typedef int32_t gigachat_log_level;

/**
 * Receives one log record on a callback thread. `target` is the part of the library
 * ("gigachat::auth"), `message` the text with its fields; both are NUL-terminated UTF-8 and valid
 * during the call. Secrets never occur in them.
 */
typedef void (*gigachat_log_callback)(void *user_data,
                                      gigachat_log_level level,
                                      const char *target,
                                      const char *message);

/**
 * No records at all.
 */
#define GIGACHAT_LOG_OFF 0

/**
 * Something failed inside the library.
 */
#define GIGACHAT_LOG_ERROR 1

/**
 * A request failed, or protection is switched off.
 */
#define GIGACHAT_LOG_WARN 2

/**
 * A request is repeated, a token is renewed after a 401.
 */
#define GIGACHAT_LOG_INFO 3

/**
 * What the library does, with one record per call at its end: status, duration, attempts, tokens.
 */
#define GIGACHAT_LOG_DEBUG 4

/**
 * Each step of a call besides: its permit, each HTTP request and the beginning of its answer;
 * prompts and answers only with the option "log_content".
 */
#define GIGACHAT_LOG_TRACE 5

/**
 * Sets the function that receives log records up to `level`, for the whole process. NULL or
 * GIGACHAT_LOG_OFF removes it. When this returns the previous function is not running, will not be
 * called any more, and its destroy hook has been called, by this thread: its user data is free,
 * and the shared object that it stands in may be unloaded. Records that waited for it are gone.
 * Records wait in a bounded queue; how many were dropped for want of room is a record of its own.
 * Once the process exits none is delivered any more: gigachat_shutdown delivers what waits.
 * Records that arise inside the callback are not delivered. Calls that were started before are not
 * logged.
 *
 * Parameters: `user_data` is passed back as it is; `destroy` may be NULL.
 * Returns: GIGACHAT_OK; GIGACHAT_ERROR_WOULD_DEADLOCK inside the log callback;
 * GIGACHAT_ERROR_INVALID_REQUEST for an unknown level. On failure nothing has changed.
 */
GIGACHAT_API
gigachat_status gigachat_set_log_callback(gigachat_log_level level,
                                          gigachat_log_callback callback,
                                          void *user_data,
                                          gigachat_destroy_callback destroy,
                                          gigachat_error **error);

/** @} */


/* ------------------------------------------------------------------------------------------------ */

/**
 * @defgroup gigachat_the_process The process
 *
 * Settings of the whole process come first, before any other use; gigachat_shutdown comes last,
 * for programs that want every thread gone.
 *
 * @{
 */

/**
 * Called on a thread of the library, at its start or end; must not call the library.
 */
typedef void (*gigachat_thread_callback)(void *user_data);

/**
 * The library's version, such as "0.1.0".
 *
 * Returns: a static text, never NULL, never to be freed.
 */
GIGACHAT_API
const char *gigachat_version(void);

/**
 * The library's version as a number: major * 1000000 + minor * 1000 + patch. Compare it with
 * GIGACHAT_VERSION_NUMBER, the header's.
 *
 * Returns: the number.
 */
GIGACHAT_API
uint32_t gigachat_version_number(void);

/**
 * The version of the binary interface, which changes only when it breaks: the number in the
 * library's soname.
 *
 * Returns: the number.
 */
GIGACHAT_API
uint32_t gigachat_abi_version(void);

/**
 * How many threads do the input and output: 1 to 64, default 1, which serves thousands of calls.
 *
 * Returns: GIGACHAT_OK, GIGACHAT_ERROR_CONFIGURATION, or GIGACHAT_ERROR_TOO_LATE after the first
 * call.
 */
GIGACHAT_API
gigachat_status gigachat_set_io_threads(size_t threads,
                                        gigachat_error **error);

/**
 * The stack of the threads that run callbacks: 64 KiB to 1 GiB, default 2 MiB.
 *
 * Returns: GIGACHAT_OK, GIGACHAT_ERROR_CONFIGURATION, or GIGACHAT_ERROR_TOO_LATE after the first
 * call.
 */
GIGACHAT_API
gigachat_status gigachat_set_callback_stack_size(size_t bytes,
                                                 gigachat_error **error);

/**
 * Functions that every thread of the library calls at its start and at its end, for hosts that
 * must know their threads. Each may be NULL. The user data must stay valid for ever.
 *
 * Returns: GIGACHAT_OK, or GIGACHAT_ERROR_TOO_LATE after the first call.
 */
GIGACHAT_API
gigachat_status gigachat_set_thread_hooks(gigachat_thread_callback start,
                                          gigachat_thread_callback stop,
                                          void *user_data,
                                          gigachat_error **error);

/**
 * How many handles are alive, of all types: for finding leaks.
 *
 * Returns: the number.
 */
GIGACHAT_API
uint64_t gigachat_live_handles(void);

/**
 * Ends the library's threads: running calls and streams end as cancelled, their callbacks and
 * destroy hooks run, connections close, threads are joined. Handles stay valid and must still be
 * freed. Calls that begin meanwhile get GIGACHAT_ERROR_SHUTDOWN; afterwards the library may be
 * used again. Does nothing when it is not in use. Not needed at exit; leak checkers are content
 * after it.
 *
 * Returns: GIGACHAT_OK; GIGACHAT_ERROR_TIMEOUT when it did not end in time: the threads end alone
 * as soon as they can, leave nothing then, and the next gigachat_shutdown waits for them, too;
 * GIGACHAT_ERROR_WOULD_DEADLOCK inside a callback.
 */
GIGACHAT_API
gigachat_status gigachat_shutdown(uint64_t timeout_ms,
                                  gigachat_error **error);

/** @} */


#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* GIGACHAT_H */
