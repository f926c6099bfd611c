// Callables of the program's as callbacks of the library, and what becomes of what they throw.

#ifndef GIGACHAT_HPP_CALLBACK
#define GIGACHAT_HPP_CALLBACK

#include <atomic>
#include <cstdio>
#include <exception>
#include <utility>

namespace gigachat {

/// Receives what a callback threw. It runs on the callback's thread and must not throw.
using CallbackExceptionHandler = void (*)(std::exception_ptr) noexcept;

namespace detail {

inline void print_callback_exception(std::exception_ptr exception) noexcept {
    try {
        std::rethrow_exception(std::move(exception));
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "gigachat: a callback threw: %s\n", thrown.what());
    } catch (...) {
        std::fputs("gigachat: a callback threw something that is no std::exception\n", stderr);
    }
}

inline std::atomic<CallbackExceptionHandler> callback_exception_handler{&print_callback_exception};

/// Runs a callable of the program's; nothing it throws passes. An exception that reached the
/// library would end the process.
template <typename Callable, typename... Arguments>
void run_callback(Callable& callable, Arguments&&... arguments) noexcept {
    try {
        callable(std::forward<Arguments>(arguments)...);
    } catch (...) {
        callback_exception_handler.load()(std::current_exception());
    }
}

/// The destroy hook of a callable.
template <typename Callable>
void destroy(void* callable) noexcept {
    delete static_cast<Callable*>(callable);
}

}  // namespace detail

/// Sets what receives the exceptions of callbacks, for the whole program; nullptr restores the
/// line on stderr. Returns what was set before.
inline CallbackExceptionHandler on_callback_exception(CallbackExceptionHandler handler) noexcept {
    return detail::callback_exception_handler.exchange(handler ? handler : &detail::print_callback_exception);
}

}  // namespace gigachat

#endif  // GIGACHAT_HPP_CALLBACK
