// What is answered.

#ifndef GIGACHAT_HPP_RESPONSE
#define GIGACHAT_HPP_RESPONSE

#include <gigachat.h>

#include "handle.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigachat {

/// Vectors of texts, one behind the other: one row for each text, all of one width.
struct Vectors {
    const float* data = nullptr;  ///< rows * columns numbers
    std::size_t rows = 0;
    std::size_t columns = 0;
    /// The first of the row's numbers; `row` is below `rows`.
    const float* operator[](std::size_t row) const { return data + row * columns; }
};

/// A function that the model asks the program to call; valid as long as its response.
struct FunctionCall {
    std::string_view name;
    std::string_view arguments;  ///< a JSON object, byte for byte as the service wrote it
};

/// The answer of any operation.
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
    /// Every function that the model asks the program to call; valid as long as the response.
    std::vector<FunctionCall> calls() const& {
        std::vector<FunctionCall> found;
        for (std::size_t index = 0;; ++index) {
            std::size_t name = 0, arguments = 0;
            const char* named = gigachat_response_call_name(get(), index, &name);
            if (!named) return found;
            const char* given = gigachat_response_call_arguments(get(), index, &arguments);
            found.push_back({{named, name}, {given ? given : "{}", given ? arguments : 2}});
        }
    }
    std::vector<FunctionCall> calls() && = delete;
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
    /// The answer's body as it came: JSON, or whatever the operation gives; empty for the answer of a
    /// stream and of embeddings.
    std::string_view body() const& { return detail::text(&gigachat_response_body, get()); }
    std::string body() && { return detail::copy(body()); }
    /// The MIME type of the body.
    std::string_view content_type() const& { return detail::text(&gigachat_response_content_type, get()); }
    std::string content_type() && { return detail::copy(content_type()); }

    /// The text at a JSON pointer into the body: `response.text_at("/data/0/id")`.
    std::optional<std::string_view> text_at(std::string_view pointer) const& {
        std::size_t length = 0;
        const char* start = gigachat_response_text_at(get(), pointer.data(), pointer.size(), &length);
        return start ? std::optional<std::string_view>(std::in_place, start, length) : std::nullopt;
    }
    std::optional<std::string> text_at(std::string_view pointer) && { return detail::copy(text_at(pointer)); }
    /// The whole number at a JSON pointer, if there is one; of a truth value 1 or 0.
    std::optional<std::int64_t> integer_at(std::string_view pointer) const {
        return value_at<std::int64_t>(&gigachat_response_integer_at, pointer);
    }
    /// The number at a JSON pointer, if there is one.
    std::optional<double> number_at(std::string_view pointer) const {
        return value_at<double>(&gigachat_response_number_at, pointer);
    }
    /// How many elements the list, or members the object, at a JSON pointer has, if one is there.
    std::optional<std::int64_t> count_at(std::string_view pointer) const {
        return detail::known(gigachat_response_count_at(get(), pointer.data(), pointer.size()));
    }
    /// The vectors of embeddings, valid as long as the response; none for another operation.
    Vectors vectors() const& {
        Vectors found;
        found.data = gigachat_response_vectors(get(), &found.rows, &found.columns);
        return found;
    }
    Vectors vectors() && = delete;

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

    template <typename Value, typename Getter>
    std::optional<Value> value_at(Getter getter, std::string_view pointer) const {
        Value value{};
        const gigachat_status status = getter(get(), pointer.data(), pointer.size(), &value, nullptr);
        if (status == GIGACHAT_OK) return value;
        if (status == GIGACHAT_ERROR_NOT_FOUND) return std::nullopt;
        detail::raise(status, nullptr);
    }
    std::chrono::microseconds micros(std::uint64_t (*accessor)(const gigachat_response*)) const {
        return std::chrono::microseconds(static_cast<std::chrono::microseconds::rep>(accessor(get())));
    }
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_RESPONSE
