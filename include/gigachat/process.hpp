// What holds for the whole process: the log, the versions, the library's threads, its end.

#ifndef GIGACHAT_HPP_PROCESS
#define GIGACHAT_HPP_PROCESS

#include <gigachat.h>

#include "callback.hpp"
#include "handle.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gigachat {

/// Removes the log callback.
inline void clear_log_callback() {
    detail::call(&gigachat_set_log_callback, static_cast<gigachat_log_level>(GIGACHAT_LOG_OFF),
                 static_cast<gigachat_log_callback>(nullptr), static_cast<void*>(nullptr),
                 static_cast<gigachat_destroy_callback>(nullptr));
}

/// Calls `callback(gigachat_log_level, std::string_view target, std::string_view message)` for
/// each record up to `level`, on a thread of the library.
template <typename Callback>
void set_log_callback(gigachat_log_level level, Callback&& callback) {
    if (level == GIGACHAT_LOG_OFF) return clear_log_callback();
    using Callable = std::decay_t<Callback>;
    auto callable = std::make_unique<Callable>(std::forward<Callback>(callback));
    const gigachat_log_callback trampoline = [](void* data, gigachat_log_level record_level, const char* target,
                                                const char* message) noexcept {
        detail::run_callback(*static_cast<Callable*>(data), record_level, std::string_view(target),
                             std::string_view(message));
    };
    const gigachat_destroy_callback hook = &detail::destroy<Callable>;
    detail::call(&gigachat_set_log_callback, level, trampoline, static_cast<void*>(callable.get()), hook);
    static_cast<void>(callable.release());  // on success it is the destroy hook's
}

/// The library's version, such as "0.1.0".
inline std::string_view version() { return gigachat_version(); }
/// The library's version as a number, to compare with GIGACHAT_VERSION_NUMBER.
inline std::uint32_t version_number() { return gigachat_version_number(); }
/// The version of the binary interface.
inline std::uint32_t abi_version() { return gigachat_abi_version(); }
/// How many handles are alive, of all types.
inline std::uint64_t live_handles() { return gigachat_live_handles(); }

/// How many threads do the input and output; before the first call only.
inline void set_io_threads(std::size_t threads) { detail::call(&gigachat_set_io_threads, threads); }
/// The stack of the threads that run callbacks; before the first call only.
inline void set_callback_stack_size(std::size_t bytes) { detail::call(&gigachat_set_callback_stack_size, bytes); }
/// Functions that every thread of the library calls at its start and end; they must not throw.
inline void set_thread_hooks(gigachat_thread_callback start, gigachat_thread_callback stop, void* user_data) {
    detail::call(&gigachat_set_thread_hooks, start, stop, user_data);
}

/// Ends the library's threads; it may be used again afterwards. Throws TimeoutError when they did
/// not end in time.
inline void shutdown(std::chrono::milliseconds timeout) { detail::call(&gigachat_shutdown, detail::limit(timeout)); }

}  // namespace gigachat

#endif  // GIGACHAT_HPP_PROCESS
