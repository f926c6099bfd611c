// Failures: gigachat::Error and a class for every GIGACHAT_ERROR_ status.

#ifndef GIGACHAT_HPP_ERROR
#define GIGACHAT_HPP_ERROR

#include <gigachat.h>

#include "text.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gigachat {

/// The name of a status, such as "GIGACHAT_ERROR_RATE_LIMIT".
inline std::string_view status_name(gigachat_status status) { return gigachat_status_name(status); }

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
    /// Everything that is known of the failure as one JSON object, e.g. for a log.
    std::string_view json() const { return detail::text(&gigachat_error_json, get()); }
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

}  // namespace detail

}  // namespace gigachat

#endif  // GIGACHAT_HPP_ERROR
