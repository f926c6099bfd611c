// What is answered.

#ifndef GIGACHAT_HPP_RESPONSE
#define GIGACHAT_HPP_RESPONSE

#include <gigachat.h>

#include "handle.hpp"
#include "text.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gigachat {

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

}  // namespace gigachat

#endif  // GIGACHAT_HPP_RESPONSE
