// What answers requests: the GigaChat service, a router, or the program itself.

#ifndef GIGACHAT_HPP_PROVIDER
#define GIGACHAT_HPP_PROVIDER

#include <gigachat.h>

#include "call.hpp"
#include "config.hpp"
#include "handle.hpp"
#include "models.hpp"
#include "request.hpp"
#include "response.hpp"
#include "stream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <string_view>

namespace gigachat {

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

protected:
    friend Owner;
    explicit Provider(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_PROVIDER
