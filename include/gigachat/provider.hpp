// What answers requests: the GigaChat service, a router, or the program itself.

#ifndef GIGACHAT_HPP_PROVIDER
#define GIGACHAT_HPP_PROVIDER

#include <gigachat.h>

#include "call.hpp"
#include "config.hpp"
#include "handle.hpp"
#include "request.hpp"
#include "response.hpp"
#include "stream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gigachat {

/// How the permits of a provider's credential are used at one moment.
struct Permits {
    std::uint32_t limit = 0;       ///< the limit in force; 0 is none
    std::uint32_t held = 0;        ///< in use
    std::uint32_t by_streams = 0;  ///< those of them that belong to open streams
    std::size_t waiting = 0;       ///< calls that wait for one
};

/// Functions of the program's by the names that the model knows them by: each takes its arguments as
/// JSON and gives its result as JSON.
using Functions = std::map<std::string, std::function<std::string(std::string_view)>, std::less<>>;

/// Something that answers requests. Use it from any number of threads.
///
/// Each prompt can be answered in four ways: `generate` waits, `generate_stream` gives the answer
/// part by part, `generate_start` gives a Call (callbacks, queues, cancel), `generate_async` a
/// future. So can each request: `perform`, `open`, `start`, `perform_async`. Dropping a future neither
/// waits nor cancels.
class Provider : public detail::Owner<Provider, gigachat_provider, &gigachat_provider_free> {
public:
    /// A provider over the GigaChat service; opens no connection yet.
    explicit Provider(const Config& config)
        : Owner(detail::make<gigachat_provider>(&gigachat_provider_new,
                                                static_cast<const gigachat_config*>(config.get()))) {}
    /// The same with all settings from the GIGACHAT_* variables.
    static Provider from_env() { return adopt(detail::make<gigachat_provider>(&gigachat_provider_from_env)); }

    /// Answers a prompt and waits for the answer.
    Response generate(std::string_view prompt, Optional<Params> params = {}, Optional<CancelToken> cancel = {}) const {
        return Response::adopt(detail::make<gigachat_response>(&gigachat_generate, get(), prompt.data(),
                                                               prompt.size(), params.get(), cancel.get()));
    }
    /// Sends a request, whatever its operation, and waits for the answer.
    Response perform(const Request& request, Optional<CancelToken> cancel = {}) const {
        return Response::adopt(
            detail::make<gigachat_response>(&gigachat_perform, get(), request.get(), cancel.get()));
    }
    /// Calls the functions that the model asks for and sends their results back, until it answers with
    /// a text. `request` has their descriptions; `functions` are found by name, take the arguments as
    /// JSON and give their result as JSON. What one throws ends the run. Throws std::runtime_error
    /// for a function that is not there, and after `most_rounds` rounds of calls.
    Response run(Request request, const Functions& functions, unsigned most_rounds = 8,
                 Optional<CancelToken> cancel = {}) const {
        for (unsigned round = 0;; ++round) {
            Response answer = perform(request, cancel);
            const std::vector<FunctionCall> calls = answer.calls();
            if (calls.empty()) return answer;
            if (round == most_rounds)
                throw std::runtime_error("the model still calls functions after " + std::to_string(most_rounds) +
                                         " rounds; allow more, or tell it to answer");
            request.add(answer);
            for (std::size_t index = 0; index < calls.size(); ++index) {
                const auto known = functions.find(calls[index].name);
                if (known == functions.end())
                    throw std::runtime_error("the model calls a function that is not there: " +
                                             std::string(calls[index].name));
                request.add_result(answer, index, known->second(calls[index].arguments));
            }
        }
    }
    using Owner::get;
    /// GET of any path of the service: `provider.get("/balance")`.
    Response get(std::string_view path, Optional<CancelToken> cancel = {}) const {
        return perform(Request("GET " + std::string(path)), cancel);
    }
    /// POST of JSON to any path of the service.
    Response post(std::string_view path, std::string_view json, Optional<CancelToken> cancel = {}) const {
        return perform(Request("POST " + std::string(path)).set_json(json), cancel);
    }
    /// Vectors of texts, a row each: `provider.embed({"one", "two"})`, or any range of texts. Without a
    /// model, those of "Embeddings".
    template <typename Texts = std::initializer_list<std::string_view>>
    Response embed(const Texts& texts, std::string_view model = {}, Optional<CancelToken> cancel = {}) const {
        return perform(of_texts("embeddings", texts, model), cancel);
    }
    /// How many tokens each text has. Without a model, for the provider's.
    template <typename Texts = std::initializer_list<std::string_view>>
    std::vector<std::int64_t> count_tokens(const Texts& texts, std::string_view model = {},
                                           Optional<CancelToken> cancel = {}) const {
        const Response answer = perform(of_texts("tokens_count", texts, model), cancel);
        std::vector<std::int64_t> counts(static_cast<std::size_t>(answer.count_at("").value_or(0)));
        for (std::size_t at = 0; at < counts.size(); ++at)
            counts[at] = answer.integer_at("/" + std::to_string(at) + "/tokens").value_or(0);
        return counts;
    }
    /// What is left of prepaid tokens: "/balance/0/usage" is a model, "/balance/0/value" its tokens.
    Response balance(Optional<CancelToken> cancel = {}) const { return perform(Request("balance"), cancel); }
    /// The models that the account can use: "/data/0/id".
    Response models(Optional<CancelToken> cancel = {}) const { return perform(Request("models"), cancel); }
    /// The model of that name: "/id".
    Response model(std::string_view name, Optional<CancelToken> cancel = {}) const {
        return perform(Request("model").set_path("model", name), cancel);
    }
    /// Returns how long the check took; throws why the provider cannot serve. Without a timeout
    /// the configured one holds.
    std::chrono::microseconds health_check(std::optional<std::chrono::milliseconds> timeout = std::nullopt,
                                           Optional<CancelToken> cancel = {}) const {
        std::uint64_t latency = 0;
        detail::call(&gigachat_health_check, get(), detail::wait(timeout), cancel.get(), &latency);
        return std::chrono::microseconds(static_cast<std::chrono::microseconds::rep>(latency));
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
    Stream open(const Request& request) const {
        return Stream::adopt(detail::make<gigachat_stream>(&gigachat_open, get(), request.get()));
    }

    /// Starts to answer a prompt.
    Call generate_start(std::string_view prompt, Optional<Params> params = {}) const {
        return Call::adopt(detail::make<gigachat_call>(&gigachat_generate_start, get(), prompt.data(),
                                                       prompt.size(), params.get()));
    }
    /// Starts to answer a request, whatever its operation.
    Call start(const Request& request) const {
        return Call::adopt(detail::make<gigachat_call>(&gigachat_start, get(), request.get()));
    }

    /// The future answer of a prompt.
    std::future<Response> generate_async(std::string_view prompt, Optional<Params> params = {}) const {
        return detail::to_future(generate_start(prompt, params));
    }
    /// The future answer of a request, whatever its operation.
    std::future<Response> perform_async(const Request& request) const { return detail::to_future(start(request)); }

protected:
    friend Owner;
    explicit Provider(Adopted adopted) noexcept : Owner(adopted.handle) {}

private:
    template <typename Texts>
    static Request of_texts(std::string_view operation, const Texts& texts, std::string_view model) {
        Request request(operation);
        for (const auto& text : texts) request.add_text(text);
        if (!model.empty()) request.set("model", model);
        return request;
    }
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_PROVIDER
