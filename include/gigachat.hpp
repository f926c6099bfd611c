/*
 * gigachat.hpp: the C++17 face of libgigachat, header-only, over gigachat.h.
 *
 *     #include <gigachat.hpp>
 *     #include <iostream>
 *
 *     int main() {
 *         gigachat::Provider provider{gigachat::Config::from_env()};       // GIGACHAT_CREDENTIALS=...
 *         std::cout << provider.generate("What is C++?").text() << '\n';
 *         for (const gigachat::Event& event : provider.generate_stream("And C?"))
 *             if (event.is_text()) std::cout << event.text() << std::flush;
 *     }
 *
 * It has no logic of its own: each member calls the C function of the same name, and what that
 * function's comment says holds here: ranges, thread safety, what may be called when. This file
 * says only what C++ adds:
 *
 * Ownership. Each class owns one handle, frees it in its destructor and can be moved, not copied.
 * get() is the handle for C functions, release() gives it away, T::adopt(handle) takes it over.
 * A moved-from object is empty: its functions throw NullArgumentError, its accessors answer
 * nothing, 0 or std::nullopt.
 *
 * Texts in are std::string_view. Texts out are std::string_view too, valid as long as the object
 * that lent them; asked of a temporary they are a std::string, so that
 * `auto text = provider.generate("...").text();` is safe.
 *
 * Errors are exceptions, derived from gigachat::Error and named as the statuses:
 * GIGACHAT_ERROR_RATE_LIMIT is RateLimitError. The two waiting states are results, not exceptions.
 *
 * Callbacks may be any callable. What one throws never reaches the library: it goes to the
 * function that on_callback_exception() set, by default a line on stderr.
 *
 * RTTI is not needed; exceptions are.
 */

#ifndef GIGACHAT_HPP
#define GIGACHAT_HPP

#include <gigachat.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gigachat {

/// The name of a status, such as "GIGACHAT_ERROR_RATE_LIMIT".
inline std::string_view status_name(gigachat_status status) { return gigachat_status_name(status); }

// ---------------------------------------------------------------------------------------------
// Errors

namespace detail {

/// A text lent by an accessor; empty when there is none.
template <typename Raw>
std::string_view text(const char* (*accessor)(const Raw*, std::size_t*), const Raw* raw) {
    std::size_t length = 0;
    const char* start = accessor(raw, &length);
    return start ? std::string_view(start, length) : std::string_view();
}

/// A text lent by an accessor, if there is one.
template <typename Raw>
std::optional<std::string_view> optional_text(const char* (*accessor)(const Raw*, std::size_t*), const Raw* raw) {
    std::size_t length = 0;
    const char* start = accessor(raw, &length);
    return start ? std::optional<std::string_view>(std::in_place, start, length) : std::nullopt;
}

/// A copy of a text that would die with its temporary owner.
inline std::string copy(std::string_view text) { return std::string(text); }
inline std::optional<std::string> copy(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>(std::in_place, *text) : std::nullopt;
}

/// A count that the C interface gives as -1 when it is not known.
inline std::optional<std::int64_t> known(std::int64_t count) {
    return count < 0 ? std::nullopt : std::optional<std::int64_t>(count);
}

}  // namespace detail

// One type in every shared object of the program, whatever its own visibility is.
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/// What every failure is thrown as, in one of the classes below; what() says what to do. A copy
/// shares the texts, which live as long as any copy.
class Error : public std::runtime_error {
public:
    /// Takes the error handle over; it may be NULL.
    Error(gigachat_status status, gigachat_error* error)
        : std::runtime_error(message(status, error)), status_(status), error_(error, &gigachat_error_free) {}

    /// The status, one of the GIGACHAT_ERROR_ constants.
    gigachat_status status() const noexcept { return status_; }
    /// The cause in lower snake case: "rate_limit", "timeout", ...
    std::string_view kind() const { return detail::text(&gigachat_error_kind, get()); }
    /// The part of the call that failed: "queue", "token", "connect", ...
    std::string_view phase() const { return detail::text(&gigachat_error_phase, get()); }
    /// The HTTP status of the answer; 0 when no answer came.
    int http_status() const { return gigachat_error_http_status(get()); }
    /// The service's own code of an OAuth error; 0 when there was none.
    std::int64_t service_code() const { return gigachat_error_service_code(get()); }
    /// What to quote to the service's support.
    std::string_view request_id() const { return detail::text(&gigachat_error_request_id, get()); }
    /// How long the service asks to wait before the next request.
    std::optional<std::chrono::milliseconds> retry_after() const {
        const std::optional<std::int64_t> wait = detail::known(gigachat_error_retry_after_ms(get()));
        return wait ? std::optional<std::chrono::milliseconds>(*wait) : std::nullopt;
    }
    /// Whether the same call may succeed later without a change.
    bool retryable() const { return gigachat_error_retryable(get()); }
    /// How many requests were sent for the call.
    std::uint32_t attempts() const { return gigachat_error_attempts(get()); }
    /// The body of the service's answer, at most 64 KiB of it, as it came.
    std::string_view body() const { return detail::text(&gigachat_error_body, get()); }
    /// The text that a stream had delivered before it broke.
    std::string_view partial_text() const { return detail::text(&gigachat_error_partial_text, get()); }
    /// The handle, borrowed; NULL when the failure has none.
    const gigachat_error* get() const noexcept { return error_.get(); }

private:
    static std::string message(gigachat_status status, const gigachat_error* error) {
        const std::string_view message = detail::text(&gigachat_error_message, error);
        return std::string(message.empty() ? status_name(status) : message);
    }

    gigachat_status status_;
    std::shared_ptr<gigachat_error> error_;  // shared: copying an exception must not throw
};

/// HTTP 401: the authorization key, access token or password is wrong or expired.
class AuthenticationError : public Error { using Error::Error; };
/// HTTP 402: the paid tokens of this model are used up.
class PaymentRequiredError : public Error { using Error::Error; };
/// HTTP 403: this account may not do that.
class PermissionDeniedError : public Error { using Error::Error; };
/// HTTP 404: no such model or path.
class NotFoundError : public Error { using Error::Error; };
/// HTTP 413: the prompt is too large.
class PayloadTooLargeError : public Error { using Error::Error; };
/// HTTP 400 or 422, or refused by the library before anything was sent.
class InvalidRequestError : public Error { using Error::Error; };
/// HTTP 429: too many requests; see retry_after().
class RateLimitError : public Error { using Error::Error; };
/// HTTP 5xx: the service failed.
class ServerError : public Error { using Error::Error; };
/// A time limit passed; phase() tells which.
class TimeoutError : public Error { using Error::Error; };
/// The service cannot be reached, or the connection broke before an answer.
class ConnectionError : public Error { using Error::Error; };
/// The TLS handshake failed; what() names the missing root certificate.
class TlsError : public Error { using Error::Error; };
/// The answer is unparsable, truncated, oversized or redirected.
class ProtocolError : public Error { using Error::Error; };
/// A stream ended without its end mark; partial_text() has what arrived.
class IncompleteStreamError : public Error { using Error::Error; };
/// The call or stream was cancelled.
class CancelledError : public Error { using Error::Error; };
/// The configuration cannot work; what() names the option.
class ConfigurationError : public Error { using Error::Error; };
/// A fault of the library or of the machine (no thread or descriptor to be had).
class InternalError : public Error { using Error::Error; };
/// An object that was moved from, or a NULL handle.
class NullArgumentError : public Error { using Error::Error; };
/// A text that is not UTF-8.
class InvalidUtf8Error : public Error { using Error::Error; };
/// A handle that was freed, is of another type, or never was one.
class InvalidHandleError : public Error { using Error::Error; };
/// The result of this call was taken before.
class AlreadyTakenError : public Error { using Error::Error; };
/// This call has a completion callback or queue already.
class AlreadySetError : public Error { using Error::Error; };
/// The function would wait for its own caller.
class WouldDeadlockError : public Error { using Error::Error; };
/// A process setting came after the first use of the library.
class TooLateError : public Error { using Error::Error; };
/// The call, stream or queue belongs to the parent of this forked process.
class ForkedError : public Error { using Error::Error; };
/// The library is shutting down.
class ShutdownError : public Error { using Error::Error; };

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

namespace detail {

/// Throws the exception of a status and takes the error handle over.
[[noreturn]] inline void raise(gigachat_status status, gigachat_error* error) {
    switch (status) {
        case GIGACHAT_ERROR_NULL_ARGUMENT: throw NullArgumentError(status, error);
        case GIGACHAT_ERROR_INVALID_UTF8: throw InvalidUtf8Error(status, error);
        case GIGACHAT_ERROR_INVALID_HANDLE: throw InvalidHandleError(status, error);
        case GIGACHAT_ERROR_ALREADY_TAKEN: throw AlreadyTakenError(status, error);
        case GIGACHAT_ERROR_ALREADY_SET: throw AlreadySetError(status, error);
        case GIGACHAT_ERROR_WOULD_DEADLOCK: throw WouldDeadlockError(status, error);
        case GIGACHAT_ERROR_TOO_LATE: throw TooLateError(status, error);
        case GIGACHAT_ERROR_FORKED: throw ForkedError(status, error);
        case GIGACHAT_ERROR_SHUTDOWN: throw ShutdownError(status, error);
        case GIGACHAT_ERROR_CONFIGURATION: throw ConfigurationError(status, error);
        case GIGACHAT_ERROR_INVALID_REQUEST: throw InvalidRequestError(status, error);
        case GIGACHAT_ERROR_AUTHENTICATION: throw AuthenticationError(status, error);
        case GIGACHAT_ERROR_PAYMENT_REQUIRED: throw PaymentRequiredError(status, error);
        case GIGACHAT_ERROR_PERMISSION_DENIED: throw PermissionDeniedError(status, error);
        case GIGACHAT_ERROR_NOT_FOUND: throw NotFoundError(status, error);
        case GIGACHAT_ERROR_PAYLOAD_TOO_LARGE: throw PayloadTooLargeError(status, error);
        case GIGACHAT_ERROR_RATE_LIMIT: throw RateLimitError(status, error);
        case GIGACHAT_ERROR_SERVER: throw ServerError(status, error);
        case GIGACHAT_ERROR_TIMEOUT: throw TimeoutError(status, error);
        case GIGACHAT_ERROR_CONNECTION: throw ConnectionError(status, error);
        case GIGACHAT_ERROR_TLS: throw TlsError(status, error);
        case GIGACHAT_ERROR_PROTOCOL: throw ProtocolError(status, error);
        case GIGACHAT_ERROR_INCOMPLETE_STREAM: throw IncompleteStreamError(status, error);
        case GIGACHAT_ERROR_CANCELLED: throw CancelledError(status, error);
        case GIGACHAT_ERROR_INTERNAL: throw InternalError(status, error);
        default: throw Error(status, error);  // of a newer library
    }
}

/// Calls a C function whose last parameter is the error; throws unless the status is GIGACHAT_OK
/// or a waiting state, which it returns.
template <typename Function, typename... Arguments>
gigachat_status call(Function function, Arguments... arguments) {
    gigachat_error* error = nullptr;
    const gigachat_status status = function(arguments..., &error);
    switch (status) {
        case GIGACHAT_OK:
        case GIGACHAT_STREAM_END:
        case GIGACHAT_NOT_YET: return status;
        default: raise(status, error);
    }
}

/// As call(), for a C function that makes a handle.
template <typename Raw, typename Function, typename... Arguments>
Raw* make(Function function, Arguments... arguments) {
    Raw* made = nullptr;
    call(function, arguments..., &made);
    return made;
}

/// A length of time in the type of a C parameter; what is out of range is refused there.
inline std::uint64_t limit(std::chrono::milliseconds time) { return static_cast<std::uint64_t>(time.count()); }

/// How long to wait, in the way of the C interface: none is negative.
inline std::int64_t wait(std::optional<std::chrono::milliseconds> time) {
    return !time ? -1 : time->count() < 0 ? 0 : static_cast<std::int64_t>(time->count());
}

/// The owner of one handle: movable, not copyable, freed once.
template <typename Derived, typename Raw, void (*Free)(Raw*)>
class Owner {
public:
    /// Takes a handle over from C.
    static Derived adopt(Raw* handle) { return Derived(Adopted{handle}); }
    /// The handle for C functions, borrowed; NULL when the object is empty.
    Raw* get() const noexcept { return handle_.get(); }
    /// Gives the handle away: free it with its C function.
    [[nodiscard]] Raw* release() noexcept { return handle_.release(); }
    /// Whether there is a handle.
    explicit operator bool() const noexcept { return handle_ != nullptr; }

protected:
    struct Adopted {
        Raw* handle;
    };
    struct Deleter {
        void operator()(Raw* handle) const noexcept { Free(handle); }
    };
    explicit Owner(Raw* handle) noexcept : handle_(handle) {}

private:
    std::unique_ptr<Raw, Deleter> handle_;
};

}  // namespace detail

/// An argument that may be left out: nothing, or a reference to an object that is not empty.
template <typename T>
class Optional {
public:
    Optional() noexcept : handle_(nullptr) {}
    Optional(const T& object) : handle_(object.get()) {  // NOLINT: meant to convert
        if (!handle_) detail::raise(GIGACHAT_ERROR_NULL_ARGUMENT, nullptr);
    }
    /// The handle, or NULL when the argument was left out.
    auto get() const noexcept { return handle_; }

private:
    decltype(std::declval<const T&>().get()) handle_;
};

// ---------------------------------------------------------------------------------------------
// What the caller says

/// A provider's options. Setters can be chained; those for texts copy them.
class Config : public detail::Owner<Config, gigachat_config, &gigachat_config_free> {
public:
    /// The defaults.
    Config() : Owner(detail::make<gigachat_config>(&gigachat_config_new)) {}
    /// From the GIGACHAT_* variables.
    static Config from_env() { return adopt(detail::make<gigachat_config>(&gigachat_config_from_env)); }

    Config& set_name(std::string_view name) { return set(&gigachat_config_set_name, name); }
    Config& set_authorization_key(std::string_view key) { return set(&gigachat_config_set_authorization_key, key); }
    Config& set_scope(std::string_view scope) { return set(&gigachat_config_set_scope, scope); }
    Config& set_model(std::string_view model) { return set(&gigachat_config_set_model, model); }
    Config& set_base_url(std::string_view url) { return set(&gigachat_config_set_base_url, url); }
    Config& set_token_url(std::string_view url) { return set(&gigachat_config_set_token_url, url); }
    Config& set_access_token(std::string_view token) { return set(&gigachat_config_set_access_token, token); }
    Config& set_user(std::string_view user, std::string_view password) {
        return set(&gigachat_config_set_user, user, password);
    }

    Config& set_timeout(std::chrono::milliseconds time) { return set(&gigachat_config_set_timeout_ms, time); }
    Config& set_connect_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_connect_timeout_ms, time);
    }
    Config& set_queue_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_queue_timeout_ms, time);
    }
    Config& set_idle_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_idle_timeout_ms, time);
    }
    Config& set_stream_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_stream_timeout_ms, time);
    }
    Config& set_health_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_health_timeout_ms, time);
    }
    Config& set_max_retries(std::uint32_t retries) { return set(&gigachat_config_set_max_retries, retries); }
    Config& set_retry_broken_connections(bool retry) {
        return set(&gigachat_config_set_retry_broken_connections, retry);
    }
    Config& set_max_concurrency(std::uint32_t limit) { return set(&gigachat_config_set_max_concurrency, limit); }

    Config& set_verify_tls(bool verify) { return set(&gigachat_config_set_verify_tls, verify); }
    Config& set_ca_bundle_file(std::string_view path) { return set(&gigachat_config_set_ca_bundle_file, path); }
    Config& set_ca_bundle_pem(std::string_view pem) { return set(&gigachat_config_set_ca_bundle_pem, pem); }
    Config& set_certificate_file(std::string_view path) { return set(&gigachat_config_set_certificate_file, path); }
    Config& set_certificate_pem(std::string_view pem) { return set(&gigachat_config_set_certificate_pem, pem); }
    Config& set_private_key_file(std::string_view path) { return set(&gigachat_config_set_private_key_file, path); }
    Config& set_private_key_pem(std::string_view pem) { return set(&gigachat_config_set_private_key_pem, pem); }
    Config& set_private_key_password(std::string_view password) {
        return set(&gigachat_config_set_private_key_password, password);
    }
    Config& add_russian_root_host(std::string_view host) {
        return set(&gigachat_config_add_russian_root_host, host);
    }

    Config& set_proxy(std::string_view url) { return set(&gigachat_config_set_proxy, url); }
    Config& set_proxy_from_environment(bool follow) {
        return set(&gigachat_config_set_proxy_from_environment, follow);
    }
    Config& set_user_agent(std::string_view agent) { return set(&gigachat_config_set_user_agent, agent); }
    Config& set_extra_header(std::string_view name, std::string_view value) {
        return set(&gigachat_config_set_extra_header, name, value);
    }
    Config& set_allow_insecure_http(bool allow) { return set(&gigachat_config_set_allow_insecure_http, allow); }
    Config& set_max_body_bytes(std::size_t bytes) { return set(&gigachat_config_set_max_body_bytes, bytes); }
    Config& set_max_event_bytes(std::size_t bytes) { return set(&gigachat_config_set_max_event_bytes, bytes); }
    Config& set_read_ahead_bytes(std::size_t bytes) { return set(&gigachat_config_set_read_ahead_bytes, bytes); }
    Config& set_log_content(bool log) { return set(&gigachat_config_set_log_content, log); }

private:
    friend Owner;
    explicit Config(Adopted adopted) noexcept : Owner(adopted.handle) {}

    template <typename Setter>
    Config& set(Setter setter, std::string_view text) {
        detail::call(setter, get(), text.data(), text.size());
        return *this;
    }
    template <typename Setter>
    Config& set(Setter setter, std::string_view first, std::string_view second) {
        detail::call(setter, get(), first.data(), first.size(), second.data(), second.size());
        return *this;
    }
    template <typename Setter>
    Config& set(Setter setter, std::chrono::milliseconds time) {
        detail::call(setter, get(), detail::limit(time));
        return *this;
    }
    template <typename Setter, typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
    Config& set(Setter setter, Number number) {
        detail::call(setter, get(), number);
        return *this;
    }
};

/// Generation parameters; one that is not set is not sent. Setters can be chained.
class Params : public detail::Owner<Params, gigachat_params, &gigachat_params_free> {
public:
    Params() : Owner(detail::make<gigachat_params>(&gigachat_params_new)) {}

    Params& set_temperature(double temperature) { return set(&gigachat_params_set_temperature, temperature); }
    Params& set_max_tokens(std::uint32_t tokens) { return set(&gigachat_params_set_max_tokens, tokens); }
    Params& set_top_p(double top_p) { return set(&gigachat_params_set_top_p, top_p); }
    Params& set_repetition_penalty(double penalty) {
        return set(&gigachat_params_set_repetition_penalty, penalty);
    }
    Params& add_stop(std::string_view stop) {
        detail::call(&gigachat_params_add_stop, get(), stop.data(), stop.size());
        return *this;
    }

private:
    friend Owner;
    explicit Params(Adopted adopted) noexcept : Owner(adopted.handle) {}

    template <typename Setter, typename Number>
    Params& set(Setter setter, Number number) {
        detail::call(setter, get(), number);
        return *this;
    }
};

/// One chat request; it may be used for any number of calls. Setters can be chained.
class Request : public detail::Owner<Request, gigachat_request, &gigachat_request_free> {
public:
    /// An empty request; add at least one message.
    Request() : Owner(detail::make<gigachat_request>(&gigachat_request_new)) {}
    /// From JSON in the service's wire format.
    static Request from_json(std::string_view json) {
        return adopt(detail::make<gigachat_request>(&gigachat_request_from_json, json.data(), json.size()));
    }

    Request& add_message(std::string_view role, std::string_view content) {
        return set(&gigachat_request_add_message, role, content);
    }
    Request& add_message_json(std::string_view message) { return set(&gigachat_request_add_message_json, message); }
    Request& add_function_result(std::string_view name, std::string_view result) {
        return set(&gigachat_request_add_function_result, name, result);
    }
    Request& add_function(std::string_view description) {
        return set(&gigachat_request_add_function, description);
    }
    Request& set_field(std::string_view name, std::string_view json) {
        return set(&gigachat_request_set_field, name, json);
    }
    Request& set_params(Optional<Params> params) {
        detail::call(&gigachat_request_set_params, get(), params.get());
        return *this;
    }
    Request& set_model(std::string_view model) { return set(&gigachat_request_set_model, model); }

    Request& set_timeout(std::chrono::milliseconds time) { return set(&gigachat_request_set_timeout_ms, time); }
    Request& set_queue_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_request_set_queue_timeout_ms, time);
    }
    Request& set_idle_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_request_set_idle_timeout_ms, time);
    }
    Request& set_stream_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_request_set_stream_timeout_ms, time);
    }
    Request& set_header(std::string_view name, std::string_view value) {
        return set(&gigachat_request_set_header, name, value);
    }
    Request& set_request_id(std::string_view id) { return set(&gigachat_request_set_request_id, id); }
    Request& set_session_id(std::string_view id) { return set(&gigachat_request_set_session_id, id); }
    Request& set_client_id(std::string_view id) { return set(&gigachat_request_set_client_id, id); }

private:
    friend Owner;
    explicit Request(Adopted adopted) noexcept : Owner(adopted.handle) {}

    template <typename Setter>
    Request& set(Setter setter, std::string_view text) {
        detail::call(setter, get(), text.data(), text.size());
        return *this;
    }
    template <typename Setter>
    Request& set(Setter setter, std::string_view first, std::string_view second) {
        detail::call(setter, get(), first.data(), first.size(), second.data(), second.size());
        return *this;
    }
    template <typename Setter>
    Request& set(Setter setter, std::chrono::milliseconds time) {
        detail::call(setter, get(), detail::limit(time));
        return *this;
    }
};

/// Ends the blocking calls that it was passed to, from any thread.
class CancelToken : public detail::Owner<CancelToken, gigachat_cancel, &gigachat_cancel_free> {
public:
    CancelToken() : Owner(detail::make<gigachat_cancel>(&gigachat_cancel_new)) {}
    /// Ends every call that this token was passed to; they throw CancelledError.
    void cancel() const { detail::call(&gigachat_cancel_now, get()); }

private:
    friend Owner;
    explicit CancelToken(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

// ---------------------------------------------------------------------------------------------
// What comes back

/// An answer.
class Response : public detail::Owner<Response, gigachat_response, &gigachat_response_free> {
public:
    /// An empty response, to be assigned to.
    Response() noexcept : Owner(nullptr) {}

    /// The answer's text; empty for a function call.
    std::string_view text() const& { return detail::text(&gigachat_response_text, get()); }
    std::string text() && { return detail::copy(text()); }
    /// Why the answer ended: "stop", "length", "function_call", "blacklist", "error", or a newer one.
    std::string_view finish_reason() const& { return detail::text(&gigachat_response_finish_reason, get()); }
    std::string finish_reason() && { return detail::copy(finish_reason()); }
    /// The model that answered, with its version.
    std::string_view model() const& { return detail::text(&gigachat_response_model, get()); }
    std::string model() && { return detail::copy(model()); }
    /// The function that the model asks the program to call.
    std::optional<std::string_view> function_name() const& {
        return detail::optional_text(&gigachat_response_function_name, get());
    }
    std::optional<std::string> function_name() && { return detail::copy(function_name()); }
    /// The arguments of that function as a JSON object.
    std::optional<std::string_view> function_arguments() const& {
        return detail::optional_text(&gigachat_response_function_arguments, get());
    }
    std::optional<std::string> function_arguments() && { return detail::copy(function_arguments()); }
    /// What to send back in the assistant message as "functions_state_id".
    std::optional<std::string_view> functions_state_id() const& {
        return detail::optional_text(&gigachat_response_functions_state_id, get());
    }
    std::optional<std::string> functions_state_id() && { return detail::copy(functions_state_id()); }
    /// The service's X-Request-ID, else the one that was sent.
    std::string_view request_id() const& { return detail::text(&gigachat_response_request_id, get()); }
    std::string request_id() && { return detail::copy(request_id()); }
    /// The service's X-Session-ID.
    std::optional<std::string_view> session_id() const& {
        return detail::optional_text(&gigachat_response_session_id, get());
    }
    std::optional<std::string> session_id() && { return detail::copy(session_id()); }
    /// The answer's JSON as it came; empty for the answer of a stream.
    std::string_view json() const& { return detail::text(&gigachat_response_json, get()); }
    std::string json() && { return detail::copy(json()); }

    /// Token usage as the service counted it; none when it sent none.
    std::optional<std::int64_t> prompt_tokens() const {
        return detail::known(gigachat_response_prompt_tokens(get()));
    }
    std::optional<std::int64_t> completion_tokens() const {
        return detail::known(gigachat_response_completion_tokens(get()));
    }
    std::optional<std::int64_t> total_tokens() const {
        return detail::known(gigachat_response_total_tokens(get()));
    }
    std::optional<std::int64_t> precached_prompt_tokens() const {
        return detail::known(gigachat_response_precached_prompt_tokens(get()));
    }

    /// How long the call waited for a permit.
    std::chrono::microseconds queue_time() const { return micros(&gigachat_response_queue_us); }
    /// How long the call waited for an access token.
    std::chrono::microseconds token_time() const { return micros(&gigachat_response_token_us); }
    /// From the permit to the first byte of the answer.
    std::chrono::microseconds first_byte_time() const { return micros(&gigachat_response_first_byte_us); }
    /// From the permit to the first content.
    std::chrono::microseconds first_content_time() const { return micros(&gigachat_response_first_content_us); }
    /// From the start of the call to its end.
    std::chrono::microseconds total_time() const { return micros(&gigachat_response_total_us); }
    /// How many requests were sent for the call.
    std::uint32_t attempts() const { return gigachat_response_attempts(get()); }

private:
    friend Owner;
    explicit Response(Adopted adopted) noexcept : Owner(adopted.handle) {}

    std::chrono::microseconds micros(std::uint64_t (*accessor)(const gigachat_response*)) const {
        return std::chrono::microseconds(static_cast<std::chrono::microseconds::rep>(accessor(get())));
    }
};

/// One model of a list, valid as long as the list.
class Model {
public:
    Model(const gigachat_models* models, std::size_t index) noexcept : models_(models), index_(index) {}
    /// The name that requests use.
    std::string_view id() const { return text(&gigachat_models_id); }
    /// Who provides the model.
    std::string_view owned_by() const { return text(&gigachat_models_owned_by); }
    /// What the model is for ("chat", "embedder", ...); empty when the service does not say.
    std::string_view type() const { return text(&gigachat_models_type); }
    /// The model's JSON as it came.
    std::string_view json() const { return text(&gigachat_models_json); }

private:
    std::string_view text(const char* (*accessor)(const gigachat_models*, std::size_t, std::size_t*)) const {
        std::size_t length = 0;
        const char* start = accessor(models_, index_, &length);
        return start ? std::string_view(start, length) : std::string_view();
    }

    const gigachat_models* models_;
    std::size_t index_;
};

/// A list of models: `for (gigachat::Model model : provider.models())`.
class Models : public detail::Owner<Models, gigachat_models, &gigachat_models_free> {
public:
    /// Goes over the list.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Model;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = Model;

        Iterator(const gigachat_models* models, std::size_t index) noexcept : models_(models), index_(index) {}
        Model operator*() const noexcept { return Model(models_, index_); }
        Iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++index_;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(const Iterator& a, const Iterator& b) noexcept { return a.index_ != b.index_; }

    private:
        const gigachat_models* models_;
        std::size_t index_;
    };

    /// An empty list, to be assigned to.
    Models() noexcept : Owner(nullptr) {}

    std::size_t size() const { return gigachat_models_count(get()); }
    bool empty() const { return size() == 0; }
    /// The model at `index`; beyond the list its texts are empty.
    Model operator[](std::size_t index) const noexcept { return Model(get(), index); }
    Iterator begin() const noexcept { return Iterator(get(), 0); }
    Iterator end() const { return Iterator(get(), size()); }

private:
    friend Owner;
    explicit Models(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

/// One part of a streamed answer.
class Event : public detail::Owner<Event, gigachat_event, &gigachat_event_free> {
public:
    /// An empty event, to be assigned to.
    Event() noexcept : Owner(nullptr) {}

    /// One of the GIGACHAT_EVENT_ constants, or a newer one: skip what is unknown.
    gigachat_event_type kind() const { return gigachat_event_kind(get()); }
    bool is_text() const { return kind() == GIGACHAT_EVENT_TEXT; }
    bool is_function_call() const { return kind() == GIGACHAT_EVENT_FUNCTION_CALL; }
    bool is_progress() const { return kind() == GIGACHAT_EVENT_PROGRESS; }
    bool is_usage() const { return kind() == GIGACHAT_EVENT_USAGE; }

    /// A piece of text, the arguments of a function call, what a progress event says.
    std::string_view text() const& { return detail::text(&gigachat_event_text, get()); }
    std::string text() && { return detail::copy(text()); }
    /// The function's name, of a function call or progress event.
    std::optional<std::string_view> name() const& { return detail::optional_text(&gigachat_event_name, get()); }
    std::optional<std::string> name() && { return detail::copy(name()); }
    /// The state id of a function call.
    std::optional<std::string_view> functions_state_id() const& {
        return detail::optional_text(&gigachat_event_functions_state_id, get());
    }
    std::optional<std::string> functions_state_id() && { return detail::copy(functions_state_id()); }

    /// Token usage, of a usage event.
    std::optional<std::int64_t> prompt_tokens() const {
        return detail::known(gigachat_event_prompt_tokens(get()));
    }
    std::optional<std::int64_t> completion_tokens() const {
        return detail::known(gigachat_event_completion_tokens(get()));
    }
    std::optional<std::int64_t> total_tokens() const { return detail::known(gigachat_event_total_tokens(get())); }
    std::optional<std::int64_t> precached_prompt_tokens() const {
        return detail::known(gigachat_event_precached_prompt_tokens(get()));
    }

private:
    friend Owner;
    explicit Event(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

// ---------------------------------------------------------------------------------------------
// Callbacks

/// Receives what a callback threw. It runs on the callback's thread and must not throw.
using CallbackExceptionHandler = void (*)(std::exception_ptr) noexcept;

namespace detail {

inline void print_callback_exception(std::exception_ptr exception) noexcept {
    try {
        std::rethrow_exception(std::move(exception));
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "gigachat: a callback threw: %s\n", thrown.what());
    } catch (...) {
        std::fputs("gigachat: a callback threw something that is no std::exception\n", stderr);
    }
}

inline std::atomic<CallbackExceptionHandler> callback_exception_handler{&print_callback_exception};

/// Runs a callable of the program's; nothing it throws passes. An exception that reached the
/// library would end the process.
template <typename Callable, typename... Arguments>
void run_callback(Callable& callable, Arguments&&... arguments) noexcept {
    try {
        callable(std::forward<Arguments>(arguments)...);
    } catch (...) {
        callback_exception_handler.load()(std::current_exception());
    }
}

/// The destroy hook of a callable.
template <typename Callable>
void destroy(void* callable) noexcept {
    delete static_cast<Callable*>(callable);
}

}  // namespace detail

/// Sets what receives the exceptions of callbacks, for the whole program; nullptr restores the
/// line on stderr. Returns what was set before.
inline CallbackExceptionHandler on_callback_exception(CallbackExceptionHandler handler) noexcept {
    return detail::callback_exception_handler.exchange(handler ? handler : &detail::print_callback_exception);
}

// ---------------------------------------------------------------------------------------------
// Calls, queues, streams

/// Collects the tags of ended calls and readable streams, for event loops.
class Queue : public detail::Owner<Queue, gigachat_queue, &gigachat_queue_free> {
public:
    Queue() : Owner(detail::make<gigachat_queue>(&gigachat_queue_new)) {}

    /// Readable while the queue is not empty; never read or close it.
    std::int64_t descriptor() const {
        std::int64_t descriptor = 0;
        detail::call(&gigachat_queue_descriptor, get(), &descriptor);
        return descriptor;
    }
    /// Takes up to `capacity` tags and returns how many; waits up to `timeout` for the first,
    /// without a timeout for ever.
    std::size_t take(std::uint64_t* tags, std::size_t capacity,
                     std::optional<std::chrono::milliseconds> timeout = std::nullopt) const {
        std::size_t count = 0;
        detail::call(&gigachat_queue_take, get(), detail::wait(timeout), tags, capacity, &count);
        return count;
    }

private:
    friend Owner;
    explicit Queue(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

class CallRef;

namespace detail {

/// What can be done with a call, owned or borrowed.
template <typename Derived>
class CallOperations {
public:
    /// Waits until the call has ended; false when it goes on after `timeout`.
    bool wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt) const {
        return call(&gigachat_call_wait, handle(), detail::wait(timeout)) == GIGACHAT_OK;
    }
    /// Takes the answer, once; nothing while the call runs. That of a health check is empty.
    std::optional<Response> take() const {
        gigachat_response* response = nullptr;
        if (call(&gigachat_call_take, handle(), &response) == GIGACHAT_NOT_YET) return std::nullopt;
        return Response::adopt(response);
    }
    /// Takes the models, once; nothing while the call runs.
    std::optional<Models> take_models() const {
        gigachat_models* models = nullptr;
        if (call(&gigachat_call_take_models, handle(), &models) == GIGACHAT_NOT_YET) return std::nullopt;
        return Models::adopt(models);
    }
    /// Ends the call as cancelled, unless its result is there already.
    void cancel() const { call(&gigachat_call_cancel, handle()); }
    /// Posts `tag` to `queue` when the call has ended.
    void attach(const Queue& queue, std::uint64_t tag) const {
        call(&gigachat_call_attach, handle(), queue.get(), tag);
    }
    /// Calls `callback(CallRef, gigachat_status)` once when the call has ended, on a thread of the
    /// library; then the callable is destroyed there.
    template <typename Callback>
    void on_done(Callback&& callback) const;
    /// The result as a future of Response, Models, or void for a health check; it takes the
    /// result and the call's one callback. Cancel, or destroy the call, and it throws
    /// CancelledError.
    template <typename Result = Response>
    std::future<Result> future() const;

protected:
    ~CallOperations() = default;

private:
    gigachat_call* handle() const noexcept { return static_cast<const Derived*>(this)->get(); }
};

}  // namespace detail

/// A call that somebody else owns, as callbacks get it.
class CallRef : public detail::CallOperations<CallRef> {
public:
    explicit CallRef(gigachat_call* handle) noexcept : handle_(handle) {}
    /// The handle, borrowed.
    gigachat_call* get() const noexcept { return handle_; }

private:
    gigachat_call* handle_;
};

template <typename Derived>
template <typename Callback>
void detail::CallOperations<Derived>::on_done(Callback&& callback) const {
    using Callable = std::decay_t<Callback>;
    auto callable = std::make_unique<Callable>(std::forward<Callback>(callback));
    const gigachat_call_callback trampoline = [](void* data, gigachat_call* ended, gigachat_status status) noexcept {
        run_callback(*static_cast<Callable*>(data), CallRef(ended), status);
    };
    const gigachat_destroy_callback hook = &destroy<Callable>;
    call(&gigachat_call_on_done, handle(), trampoline, static_cast<void*>(callable.get()), hook);
    static_cast<void>(callable.release());  // on success it is the destroy hook's
}

/// A call that runs beside its caller. Destroying it cancels it.
class Call : public detail::Owner<Call, gigachat_call, &gigachat_call_free>, public detail::CallOperations<Call> {
private:
    friend Owner;
    explicit Call(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

namespace detail {

/// Fulfils a promise with the outcome of an ended call. `status` is how it ended; a call that was
/// freed meanwhile has nothing more to tell.
template <typename Result>
void fulfil(std::promise<Result>& promise, CallRef ended, gigachat_status status) noexcept {
    try {
        try {
            if constexpr (std::is_same_v<Result, Models>) {
                promise.set_value(ended.take_models().value());
            } else if constexpr (std::is_void_v<Result>) {
                static_cast<void>(ended.take());
                promise.set_value();
            } else {
                promise.set_value(ended.take().value());
            }
        } catch (const InvalidHandleError&) {
            raise(status, nullptr);
        }
    } catch (...) {
        promise.set_exception(std::current_exception());
    }
}

/// The future of a call. `keep` is that call, to let it go on without another owner, or empty.
template <typename Result>
std::future<Result> to_future(CallRef call, Call keep) {
    std::promise<Result> promise;
    std::future<Result> future = promise.get_future();
    call.on_done([keep = std::move(keep), promise = std::move(promise)](CallRef ended,
                                                                        gigachat_status status) mutable {
        fulfil(promise, ended, status);
    });
    return future;
}

template <typename Result>
std::future<Result> to_future(Call call) {
    const CallRef borrowed(call.get());
    return to_future<Result>(borrowed, std::move(call));
}

template <typename Derived>
template <typename Result>
std::future<Result> CallOperations<Derived>::future() const {
    return to_future<Result>(CallRef(handle()), Call::adopt(nullptr));
}

}  // namespace detail

/// What reading a stream without waiting for its end gives.
enum class Reading {
    event,    ///< an event
    not_yet,  ///< nothing came in time
    end,      ///< the answer is complete
};

/// An answer that is read part by part; destroying it cancels it.
///
///     for (const gigachat::Event& event : stream) ...
///
/// The loop ends with the answer; a stream that breaks throws, after everything that had arrived.
class Stream : public detail::Owner<Stream, gigachat_stream, &gigachat_stream_free> {
public:
    /// Reads the stream; one pass. The event is valid until the next step, and may be moved away.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using pointer = Event*;
        using reference = Event&;

        /// The end.
        Iterator() noexcept = default;
        /// Reads the first event.
        explicit Iterator(Stream& stream) : stream_(&stream) { ++*this; }
        Event& operator*() const noexcept { return stream_->current_; }
        Event* operator->() const noexcept { return &stream_->current_; }
        Iterator& operator++() {
            if (stream_->read(stream_->current_) == Reading::end) stream_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.stream_ == b.stream_; }
        friend bool operator!=(const Iterator& a, const Iterator& b) noexcept { return a.stream_ != b.stream_; }

    private:
        Stream* stream_ = nullptr;
    };

    /// Waits for the next event; nothing when the answer is complete.
    std::optional<Event> next() {
        Event event;
        return read(event) == Reading::end ? std::nullopt : std::optional<Event>(std::move(event));
    }
    /// Waits up to `timeout` for the next event, which is put into `event`; without a timeout as
    /// long as the stream's own time limits let it.
    Reading read(Event& event, std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
        gigachat_event* made = nullptr;
        const gigachat_status status = detail::call(&gigachat_stream_next, get(), detail::wait(timeout), &made);
        event = Event::adopt(made);
        return status == GIGACHAT_OK          ? Reading::event
               : status == GIGACHAT_STREAM_END ? Reading::end
                                               : Reading::not_yet;
    }
    /// Reads the first event; a stream is gone over once.
    Iterator begin() { return Iterator(*this); }
    Iterator end() const noexcept { return Iterator(); }

    /// The whole answer of a stream that was read to its end; nothing before.
    std::optional<Response> response() const {
        gigachat_response* response = nullptr;
        if (detail::call(&gigachat_stream_response, get(), &response) == GIGACHAT_NOT_YET) return std::nullopt;
        return Response::adopt(response);
    }
    /// Ends the stream now, from any thread; the reader gets CancelledError.
    void cancel() const { detail::call(&gigachat_stream_cancel, get()); }
    /// Posts `tag` to `queue` whenever there is something to read after there was nothing.
    void attach(const Queue& queue, std::uint64_t tag) const {
        detail::call(&gigachat_stream_attach, get(), queue.get(), tag);
    }

private:
    friend Owner;
    explicit Stream(Adopted adopted) noexcept : Owner(adopted.handle) {}

    Event current_;
};

// ---------------------------------------------------------------------------------------------
// Who answers

/// How the permits of a provider's credential are used at one moment.
struct Permits {
    std::uint32_t limit = 0;       ///< the limit in force; 0 is none
    std::uint32_t held = 0;        ///< in use
    std::uint32_t by_streams = 0;  ///< those of them that belong to open streams
    std::size_t waiting = 0;       ///< calls that wait for one
};

/// Something that answers requests. Use it from any number of threads.
///
/// Each question can be asked in four ways: `generate` waits, `generate_stream` gives the answer
/// part by part, `generate_start` gives a Call (callbacks, queues, cancel), `generate_async` a
/// future. Dropping a future neither waits nor cancels.
class Provider : public detail::Owner<Provider, gigachat_provider, &gigachat_provider_free> {
public:
    /// A provider over the GigaChat service; opens no connection yet.
    explicit Provider(const Config& config)
        : Owner(detail::make<gigachat_provider>(&gigachat_provider_new,
                                                static_cast<const gigachat_config*>(config.get()))) {}

    /// Answers a prompt and waits for the answer.
    Response generate(std::string_view prompt, Optional<Params> params = {}, Optional<CancelToken> cancel = {}) const {
        return Response::adopt(detail::make<gigachat_response>(&gigachat_generate, get(), prompt.data(),
                                                               prompt.size(), params.get(), cancel.get()));
    }
    /// Answers a request and waits for the answer.
    Response chat(const Request& request, Optional<CancelToken> cancel = {}) const {
        return Response::adopt(
            detail::make<gigachat_response>(&gigachat_chat, get(), request.get(), cancel.get()));
    }
    /// Answers a request in the wire format and waits for the answer.
    Response chat_json(std::string_view json, Optional<CancelToken> cancel = {}) const {
        return Response::adopt(detail::make<gigachat_response>(&gigachat_chat_json, get(), json.data(),
                                                               json.size(), cancel.get()));
    }
    /// Returns how long the check took; throws why the provider cannot serve. Without a timeout
    /// the configured one holds.
    std::chrono::microseconds health_check(std::optional<std::chrono::milliseconds> timeout = std::nullopt,
                                           Optional<CancelToken> cancel = {}) const {
        std::uint64_t latency = 0;
        detail::call(&gigachat_health_check, get(), detail::wait(timeout), cancel.get(), &latency);
        return std::chrono::microseconds(static_cast<std::chrono::microseconds::rep>(latency));
    }
    /// The models that the account can use.
    Models models(Optional<CancelToken> cancel = {}) const {
        return Models::adopt(detail::make<gigachat_models>(&gigachat_models_list, get(), cancel.get()));
    }
    /// A list of the one model of that name.
    Models model(std::string_view name, Optional<CancelToken> cancel = {}) const {
        return Models::adopt(
            detail::make<gigachat_models>(&gigachat_models_get, get(), name.data(), name.size(), cancel.get()));
    }
    /// How the permits are used at this moment.
    Permits permits() const {
        Permits permits;
        detail::call(&gigachat_provider_permits, get(), &permits.limit, &permits.held, &permits.by_streams,
                     &permits.waiting);
        return permits;
    }

    /// Begins to answer a prompt part by part.
    Stream generate_stream(std::string_view prompt, Optional<Params> params = {}) const {
        return Stream::adopt(detail::make<gigachat_stream>(&gigachat_generate_stream, get(), prompt.data(),
                                                           prompt.size(), params.get()));
    }
    /// Begins to answer a request part by part.
    Stream chat_stream(const Request& request) const {
        return Stream::adopt(detail::make<gigachat_stream>(&gigachat_chat_stream, get(), request.get()));
    }
    /// Begins to answer a request in the wire format part by part.
    Stream chat_stream_json(std::string_view json) const {
        return Stream::adopt(
            detail::make<gigachat_stream>(&gigachat_chat_stream_json, get(), json.data(), json.size()));
    }

    /// Starts to answer a prompt.
    Call generate_start(std::string_view prompt, Optional<Params> params = {}) const {
        return Call::adopt(detail::make<gigachat_call>(&gigachat_generate_start, get(), prompt.data(),
                                                       prompt.size(), params.get()));
    }
    /// Starts to answer a request.
    Call chat_start(const Request& request) const {
        return Call::adopt(detail::make<gigachat_call>(&gigachat_chat_start, get(), request.get()));
    }
    /// Starts to answer a request in the wire format.
    Call chat_json_start(std::string_view json) const {
        return Call::adopt(
            detail::make<gigachat_call>(&gigachat_chat_json_start, get(), json.data(), json.size()));
    }
    /// Starts a health check.
    Call health_check_start(std::optional<std::chrono::milliseconds> timeout = std::nullopt) const {
        return Call::adopt(
            detail::make<gigachat_call>(&gigachat_health_check_start, get(), detail::wait(timeout)));
    }
    /// Starts to list the models.
    Call models_start() const {
        return Call::adopt(detail::make<gigachat_call>(&gigachat_models_list_start, get()));
    }

    /// The future answer of a prompt.
    std::future<Response> generate_async(std::string_view prompt, Optional<Params> params = {}) const {
        return detail::to_future<Response>(generate_start(prompt, params));
    }
    /// The future answer of a request.
    std::future<Response> chat_async(const Request& request) const {
        return detail::to_future<Response>(chat_start(request));
    }
    /// The future answer of a request in the wire format.
    std::future<Response> chat_json_async(std::string_view json) const {
        return detail::to_future<Response>(chat_json_start(json));
    }
    /// A future that throws why the provider cannot serve.
    std::future<void> health_check_async(std::optional<std::chrono::milliseconds> timeout = std::nullopt) const {
        return detail::to_future<void>(health_check_start(timeout));
    }
    /// The future list of models.
    std::future<Models> models_async() const { return detail::to_future<Models>(models_start()); }

private:
    friend Owner;
    explicit Provider(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

// ---------------------------------------------------------------------------------------------
// The process

/// Removes the log callback.
inline void clear_log_callback() {
    detail::call(&gigachat_set_log_callback, static_cast<gigachat_log_level>(GIGACHAT_LOG_OFF),
                 static_cast<gigachat_log_callback>(nullptr), static_cast<void*>(nullptr),
                 static_cast<gigachat_destroy_callback>(nullptr));
}

/// Calls `callback(gigachat_log_level, std::string_view target, std::string_view message)` for
/// each record up to `level`, on a thread of the library.
template <typename Callback>
void set_log_callback(gigachat_log_level level, Callback&& callback) {
    if (level == GIGACHAT_LOG_OFF) return clear_log_callback();
    using Callable = std::decay_t<Callback>;
    auto callable = std::make_unique<Callable>(std::forward<Callback>(callback));
    const gigachat_log_callback trampoline = [](void* data, gigachat_log_level record_level, const char* target,
                                                const char* message) noexcept {
        detail::run_callback(*static_cast<Callable*>(data), record_level, std::string_view(target),
                             std::string_view(message));
    };
    const gigachat_destroy_callback hook = &detail::destroy<Callable>;
    detail::call(&gigachat_set_log_callback, level, trampoline, static_cast<void*>(callable.get()), hook);
    static_cast<void>(callable.release());  // on success it is the destroy hook's
}

/// The library's version, such as "0.1.0".
inline std::string_view version() { return gigachat_version(); }
/// The library's version as a number, to compare with GIGACHAT_VERSION_NUMBER.
inline std::uint32_t version_number() { return gigachat_version_number(); }
/// The version of the binary interface.
inline std::uint32_t abi_version() { return gigachat_abi_version(); }
/// How many handles are alive, of all types.
inline std::uint64_t live_handles() { return gigachat_live_handles(); }

/// How many threads do the input and output; before the first call only.
inline void set_io_threads(std::size_t threads) { detail::call(&gigachat_set_io_threads, threads); }
/// The stack of the threads that run callbacks; before the first call only.
inline void set_callback_stack_size(std::size_t bytes) { detail::call(&gigachat_set_callback_stack_size, bytes); }
/// Functions that every thread of the library calls at its start and end; they must not throw.
inline void set_thread_hooks(gigachat_thread_callback start, gigachat_thread_callback stop, void* user_data) {
    detail::call(&gigachat_set_thread_hooks, start, stop, user_data);
}

/// Ends the library's threads; it may be used again afterwards. Throws TimeoutError when they did
/// not end in time.
inline void shutdown(std::chrono::milliseconds timeout) { detail::call(&gigachat_shutdown, detail::limit(timeout)); }

}  // namespace gigachat

#endif  // GIGACHAT_HPP
