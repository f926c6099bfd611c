// What is asked: requests, their generation parameters, and the token that cancels.

#ifndef GIGACHAT_HPP_REQUEST
#define GIGACHAT_HPP_REQUEST

#include <gigachat.h>

#include "handle.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigachat {

/// What one call sets for itself; what is not set is not sent. Setters can be chained; the call throws
/// the first that was refused.
class Params : public detail::Builder<Params, gigachat_params, &gigachat_params_free> {
public:
    Params() : Builder(detail::make<gigachat_params>(&gigachat_params_new)) {}

    /// Any parameter by its name (docs/configuration.md): text, a number, or a time.
    template <typename Value>
    Params& set(std::string_view name, const Value& value) {
        const std::string text = detail::as_text(value);
        return Builder::set(&gigachat_params_set, name, std::string_view(text));
    }
    Params& set_temperature(double temperature) {
        return Builder::set(&gigachat_params_set_temperature, temperature);
    }
    Params& set_max_tokens(std::uint32_t tokens) { return Builder::set(&gigachat_params_set_max_tokens, tokens); }
    Params& add_stop(std::string_view stop) { return Builder::set(&gigachat_params_add_stop, stop); }

private:
    friend Owner;
    explicit Params(Adopted adopted) noexcept : Builder(adopted.handle) {}
};

/// One chat request; it may be used for any number of calls. Setters can be chained.
class Request : public detail::Builder<Request, gigachat_request, &gigachat_request_free> {
public:
    /// An empty request; add at least one message.
    Request() : Builder(detail::make<gigachat_request>(&gigachat_request_new)) {}
    /// From JSON in the service's wire format.
    static Request from_json(std::string_view json) {
        return adopt(detail::make<gigachat_request>(&gigachat_request_from_json, json.data(), json.size()));
    }

    Request& add_message(std::string_view role, std::string_view content) {
        return told(&gigachat_request_add_message, role, content);
    }
    Request& add_message_json(std::string_view message) { return told(&gigachat_request_add_message_json, message); }
    Request& add_function_result(std::string_view name, std::string_view result) {
        return told(&gigachat_request_add_function_result, name, result);
    }
    Request& add_function(std::string_view description) {
        return told(&gigachat_request_add_function, description);
    }
    Request& set_field(std::string_view name, std::string_view json) {
        return told(&gigachat_request_set_field, name, json);
    }
    Request& set_params(Optional<Params> params) { return told(&gigachat_request_set_params, params.get()); }
    Request& set_model(std::string_view model) { return told(&gigachat_request_set_model, model); }

    Request& set_timeout(std::chrono::milliseconds time) { return told(&gigachat_request_set_timeout_ms, time); }
    /// The total time of the call; in a router it replaces the router's own deadline.
    Request& set_deadline(std::chrono::milliseconds time) { return told(&gigachat_request_set_deadline_ms, time); }
    Request& set_queue_timeout(std::chrono::milliseconds time) {
        return told(&gigachat_request_set_queue_timeout_ms, time);
    }
    Request& set_idle_timeout(std::chrono::milliseconds time) {
        return told(&gigachat_request_set_idle_timeout_ms, time);
    }
    Request& set_stream_timeout(std::chrono::milliseconds time) {
        return told(&gigachat_request_set_stream_timeout_ms, time);
    }
    Request& set_header(std::string_view name, std::string_view value) {
        return told(&gigachat_request_set_header, name, value);
    }
    Request& set_request_id(std::string_view id) { return told(&gigachat_request_set_request_id, id); }
    Request& set_session_id(std::string_view id) { return told(&gigachat_request_set_session_id, id); }
    Request& set_client_id(std::string_view id) { return told(&gigachat_request_set_client_id, id); }

private:
    friend Owner;
    explicit Request(Adopted adopted) noexcept : Builder(adopted.handle) {}
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

}  // namespace gigachat

#endif  // GIGACHAT_HPP_REQUEST
