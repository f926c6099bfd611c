// Providers that the program answers for itself: by themselves, or beside the service in a router.

#ifndef GIGACHAT_HPP_OWN_PROVIDER
#define GIGACHAT_HPP_OWN_PROVIDER

#include <gigachat.h>

#include "callback.hpp"
#include "error.hpp"
#include "handle.hpp"
#include "provider.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gigachat {

/// Through which a program's own provider answers one request: once, now or later, from any
/// thread. Destroyed without an answer, it fails the request.
///
/// It is movable, not copyable. It cannot be released: while the provider's callback runs, the
/// library's side keeps the handle too, to say what the callback threw.
class Reply {
public:
    /// Takes a handle over from C.
    static Reply adopt(gigachat_reply* handle) { return Reply(Shared(handle, &gigachat_reply_free)); }
    Reply(Reply&&) noexcept = default;
    Reply& operator=(Reply&&) noexcept = default;
    /// The handle for C functions, borrowed; NULL when the object is empty.
    gigachat_reply* get() const noexcept { return handle_.get(); }
    /// Whether there is a handle.
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /// Answers with a text, of a stream with its last piece; a health check with "healthy".
    void finish(std::string_view text = {}, std::string_view finish_reason = {}) const {
        detail::call(&gigachat_reply_finish, get(), text.data(), text.size(), finish_reason.data(),
                     finish_reason.size());
    }
    /// Answers with a completion in the wire format; not of a stream.
    void finish_json(std::string_view json) const {
        detail::call(&gigachat_reply_finish_json, get(), json.data(), json.size());
    }
    /// Delivers the next piece of a stream.
    void push(std::string_view text) const {
        detail::call(&gigachat_reply_push, get(), text.data(), text.size());
    }
    /// Answers with a failure: GIGACHAT_ERROR_RATE_LIMIT, ... A router decides by it whether the
    /// next member is asked.
    void fail(gigachat_status status, std::string_view message,
              std::optional<std::chrono::milliseconds> retry_after = std::nullopt) const {
        detail::call(&gigachat_reply_fail, get(), status, message.data(), message.size(),
                     detail::wait(retry_after));
    }
    /// Whether nobody waits for the reply any more.
    bool is_cancelled() const { return gigachat_reply_is_cancelled(get()); }
    /// Calls `callback()` once, on a thread of the library, when nobody waits for the reply any
    /// more; the callable is destroyed then, or when the reply is answered.
    template <typename Callback>
    void on_cancel(Callback&& callback) const {
        using Callable = std::decay_t<Callback>;
        auto callable = std::make_unique<Callable>(std::forward<Callback>(callback));
        const gigachat_reply_cancelled_callback trampoline = [](void* data) noexcept {
            detail::run_callback(*static_cast<Callable*>(data));
        };
        const gigachat_destroy_callback hook = &detail::destroy<Callable>;
        detail::call(&gigachat_reply_on_cancel, get(), trampoline, static_cast<void*>(callable.get()), hook);
        static_cast<void>(callable.release());  // on success it is the destroy hook's
    }

private:
    friend class OwnProvider;
    using Shared = std::shared_ptr<gigachat_reply>;
    explicit Reply(Shared handle) noexcept : handle_(std::move(handle)) {}

    Shared handle_;
};

/// Makes a provider of callables. Setters can be chained.
///
///     gigachat::Provider echo = gigachat::OwnProvider("echo")
///         .set_generate([](std::string_view request, gigachat::Reply reply) { reply.finish(request); })
///         .build();
///
/// The callables begin to answer, on a thread of the library, and return at once; what takes
/// longer belongs to another thread, with the reply. One that waits inside the library may be
/// called again meanwhile. What one throws fails its request: an Error with its status, anything
/// else with GIGACHAT_ERROR_INTERNAL.
class OwnProvider : private detail::Owner<OwnProvider, gigachat_custom_options, &gigachat_custom_options_free> {
public:
    /// Gets the request in the wire format, valid during the call and empty for a health check,
    /// and the reply to it.
    using Callback = std::function<void(std::string_view request, Reply reply)>;

    /// The name is the provider's in logs, metrics and router reports.
    explicit OwnProvider(std::string_view name)
        : Owner(detail::make<gigachat_custom_options>(&gigachat_custom_options_new, name.data(), name.size())) {}

    /// What answers a request as a whole; the only one that is needed.
    OwnProvider& set_generate(Callback callback) {
        return set_callback<&Callbacks::generate>(&gigachat_custom_options_set_generate, std::move(callback));
    }
    /// What answers a request in parts. Without it streams fail with InvalidRequestError.
    OwnProvider& set_stream(Callback callback) {
        return set_callback<&Callbacks::stream>(&gigachat_custom_options_set_stream, std::move(callback));
    }
    /// What answers a health check. Without it the provider counts as healthy.
    OwnProvider& set_health_check(Callback callback) {
        return set_callback<&Callbacks::health_check>(&gigachat_custom_options_set_health_check, std::move(callback));
    }

    /// Makes the provider, which gets copies of the callables; they are destroyed on a thread of
    /// the library when the provider and its last request are gone.
    Provider build() const {
        auto callbacks = std::make_unique<Callbacks>(callbacks_);
        const gigachat_destroy_callback hook = &detail::destroy<Callbacks>;
        Provider provider = Provider::adopt(detail::make<gigachat_provider>(
            &gigachat_custom_new, get(), static_cast<void*>(callbacks.get()), hook));
        static_cast<void>(callbacks.release());  // on success it is the destroy hook's
        return provider;
    }

private:
    struct Callbacks {
        Callback generate, stream, health_check;
    };

    template <Callback Callbacks::*Member, typename Setter>
    OwnProvider& set_callback(Setter setter, Callback callback) {
        const gigachat_custom_callback trampoline = callback ? &begin<Member> : nullptr;
        if (!get()) detail::raise(GIGACHAT_ERROR_NULL_ARGUMENT, nullptr);
        static_cast<void>(setter(get(), trampoline));
        callbacks_.*Member = std::move(callback);
        return *this;
    }

    /// What the library calls: begins to answer one request.
    template <Callback Callbacks::*Member>
    static void begin(void* data, const char* request, gigachat_reply* handle) noexcept {
        try {
            Reply reply = Reply::adopt(handle);
            // The callable's own reply is gone when what it threw arrives here; this one is not.
            const Reply kept(reply.handle_);
            answer(static_cast<Callbacks*>(data)->*Member, request, std::move(reply), kept);
        } catch (...) {
            // The request has its answer already, or what() is not UTF-8: it cannot be told.
            detail::callback_exception_handler.load()(std::current_exception());
        }
    }

    static void answer(const Callback& callback, const char* request, Reply reply, const Reply& kept) {
        try {
            callback(request, std::move(reply));
        } catch (const Error& error) {
            fail(kept, error.status(), error.what(), error.retry_after());
        } catch (const std::exception& error) {
            fail(kept, GIGACHAT_ERROR_INTERNAL, error.what());
        } catch (...) {
            fail(kept, GIGACHAT_ERROR_INTERNAL, "the callback threw something that is no std::exception");
        }
    }

    /// Called while an exception is handled, which goes on when the reply takes no failure. Not
    /// every status is a cause of failure: GIGACHAT_ERROR_ALREADY_TAKEN is a mistake in the callable.
    static void fail(const Reply& reply, gigachat_status status, const char* message,
                     std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
        const auto taken = [&](gigachat_status cause) {
            return gigachat_reply_fail(reply.get(), cause, message, GIGACHAT_ZT, detail::wait(retry_after),
                                       nullptr) == GIGACHAT_OK;
        };
        if (!taken(status) && !taken(GIGACHAT_ERROR_INTERNAL)) throw;
    }

    Callbacks callbacks_;
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_OWN_PROVIDER
