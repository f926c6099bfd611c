// What is asked: requests, their generation parameters, and the token that cancels.

#ifndef GIGACHAT_HPP_REQUEST
#define GIGACHAT_HPP_REQUEST

#include <gigachat.h>

#include "handle.hpp"
#include "response.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

private:
    friend Owner;
    explicit Params(Adopted adopted) noexcept : Builder(adopted.handle) {}
};

/// One request for one operation of the service; it may be used for any number of calls. Setters can be
/// chained; the call throws the first that was refused.
class Request : public detail::Builder<Request, gigachat_request, &gigachat_request_free> {
public:
    /// A chat; add at least one message.
    Request() : Request(std::string_view("chat")) {}
    /// For an operation by its name ("embeddings"), or a method and any path ("GET /balance"). Throws
    /// InvalidRequestError for an unknown one.
    explicit Request(std::string_view operation)
        : Builder(detail::make<gigachat_request>(&gigachat_request_new, operation.data(), operation.size())) {}
    /// A chat from JSON in the service's wire format.
    static Request from_json(std::string_view json) { return std::move(Request().set_json(json)); }

    /// Any option of the call by its name (docs/configuration.md): text, a number, or a time.
    template <typename Value>
    Request& set(std::string_view name, const Value& value) {
        const std::string text = detail::as_text(value);
        return Builder::set(&gigachat_request_set, name, std::string_view(text));
    }
    Request& set_params(const Params& params) {
        return Builder::set(&gigachat_request_set_params, static_cast<const gigachat_params*>(params.get()));
    }
    Request& set_header(std::string_view name, std::string_view value) {
        return Builder::set(&gigachat_request_set_header, name, value);
    }
    Request& set_path(std::string_view name, std::string_view value) {
        return Builder::set(&gigachat_request_set_path, name, value);
    }
    Request& set_query(std::string_view name, std::string_view value) {
        return Builder::set(&gigachat_request_set_query, name, value);
    }
    Request& set_json(std::string_view json) { return Builder::set(&gigachat_request_set_json, json); }
    /// Without a content type the operation's own.
    Request& set_bytes(std::string_view bytes, std::string_view content_type = {}) {
        return Builder::set(&gigachat_request_set_bytes, content_type.data(), content_type.size(),
                            static_cast<const void*>(bytes.data()), bytes.size());
    }
    Request& add_text(std::string_view text) { return Builder::set(&gigachat_request_add_text, text); }
    Request& add_message(std::string_view role, std::string_view content) {
        return Builder::set(&gigachat_request_add_message, role, content);
    }
    Request& add_message_json(std::string_view message) {
        return Builder::set(&gigachat_request_add_message_json, message);
    }
    /// Adds an answer to the conversation, with the functions that it calls and its state. A result for
    /// each call follows.
    Request& add(const Response& answer) {
        return Builder::set(&gigachat_request_add_response, static_cast<const gigachat_response*>(answer.get()));
    }
    /// Adds the result (JSON) of one of the functions that an answer calls, behind that answer.
    Request& add_result(const Response& answer, std::size_t index, std::string_view result) {
        return Builder::set(&gigachat_request_add_result, static_cast<const gigachat_response*>(answer.get()), index,
                            result.data(), result.size());
    }
    Request& add_function_result(std::string_view name, std::string_view result) {
        return Builder::set(&gigachat_request_add_function_result, name, result);
    }
    Request& add_function(std::string_view description) {
        return Builder::set(&gigachat_request_add_function, description);
    }
    Request& set_field(std::string_view name, std::string_view json) {
        return Builder::set(&gigachat_request_set_field, name, json);
    }

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
