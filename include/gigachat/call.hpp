// Calls that run beside their caller; the queues and futures that tell how they ended.

#ifndef GIGACHAT_HPP_CALL
#define GIGACHAT_HPP_CALL

#include <gigachat.h>

#include "callback.hpp"
#include "error.hpp"
#include "handle.hpp"
#include "response.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace gigachat {

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
    /// Posts a tag as an ended call does: wakes who waits in `take` or for the descriptor.
    void post(std::uint64_t tag) const { detail::call(&gigachat_queue_post, get(), tag); }
    /// Takes up to `capacity` tags and returns how many; waits up to `timeout` for the first,
    /// without a timeout for ever. Throws CancelledError when another thread destroys the queue
    /// meanwhile.
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
    /// Takes the answer, once; nothing while the call runs.
    std::optional<Response> take() const {
        gigachat_response* response = nullptr;
        if (call(&gigachat_call_take, handle(), &response) == GIGACHAT_NOT_YET) return std::nullopt;
        return Response::adopt(response);
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
    /// The answer as a future; it takes the answer and the call's one callback. Cancel, or destroy the
    /// call, and it throws CancelledError.
    std::future<Response> future() const;

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
inline void fulfil(std::promise<Response>& promise, CallRef ended, gigachat_status status) noexcept {
    try {
        try {
            promise.set_value(ended.take().value());
        } catch (const InvalidHandleError&) {
            raise(status, nullptr);
        }
    } catch (...) {
        promise.set_exception(std::current_exception());
    }
}

/// The future of a call. `keep` is that call, to let it go on without another owner, or empty.
inline std::future<Response> to_future(CallRef call, Call keep) {
    std::promise<Response> promise;
    std::future<Response> future = promise.get_future();
    call.on_done([keep = std::move(keep), promise = std::move(promise)](CallRef ended,
                                                                        gigachat_status status) mutable {
        fulfil(promise, ended, status);
    });
    return future;
}

inline std::future<Response> to_future(Call call) {
    const CallRef borrowed(call.get());
    return to_future(borrowed, std::move(call));
}

template <typename Derived>
std::future<Response> CallOperations<Derived>::future() const {
    return to_future(CallRef(handle()), Call::adopt(nullptr));
}

}  // namespace detail

}  // namespace gigachat

#endif  // GIGACHAT_HPP_CALL
