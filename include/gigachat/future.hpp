// The outcome of a call as a std::future.

#ifndef GIGACHAT_HPP_FUTURE
#define GIGACHAT_HPP_FUTURE

#include <gigachat.h>

#include "call.hpp"
#include "error.hpp"
#include "models.hpp"
#include "response.hpp"

#include <exception>
#include <future>
#include <type_traits>
#include <utility>

namespace gigachat {

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

}  // namespace gigachat

#endif  // GIGACHAT_HPP_FUTURE
