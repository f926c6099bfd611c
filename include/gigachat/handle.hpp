// How the classes hold handles and call C functions: what is the same for all of them, and
// Optional, the one part of it that a program meets.

#ifndef GIGACHAT_HPP_HANDLE
#define GIGACHAT_HPP_HANDLE

#include <gigachat.h>

#include "error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gigachat {

namespace detail {

/// Calls a C function whose last parameter is the error; throws unless the status is GIGACHAT_OK
/// or a waiting state, which it returns.
template <typename Function, typename... Arguments>
gigachat_status call(Function function, Arguments... arguments) {
    gigachat_error* error = nullptr;
    const gigachat_status status = function(arguments..., &error);
    switch (status) {
        case GIGACHAT_OK:
        case GIGACHAT_STREAM_END:
        case GIGACHAT_NOT_YET: return status;
        default: raise(status, error);
    }
}

/// A value of an option that is set by its name, as text.
inline std::string as_text(std::string_view value) { return std::string(value); }
inline std::string as_text(const char* value) { return value; }
inline std::string as_text(bool value) { return value ? "true" : "false"; }
/// In seconds.
inline std::string as_text(std::chrono::milliseconds time) {
    const auto count = time.count();
    const auto rest = std::to_string(1000 + (count < 0 ? -count : count) % 1000);
    return (count < 0 ? "-" : "") + std::to_string((count < 0 ? -count : count) / 1000) + "." + rest.substr(1);
}
template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
std::string as_text(Number value) {
    return std::to_string(value);
}

/// As call(), for a C function that makes a handle.
template <typename Raw, typename Function, typename... Arguments>
Raw* make(Function function, Arguments... arguments) {
    Raw* made = nullptr;
    call(function, arguments..., &made);
    return made;
}

/// A length of time in the type of a C parameter; what is out of range is refused there.
inline std::uint64_t limit(std::chrono::milliseconds time) { return static_cast<std::uint64_t>(time.count()); }

/// How long to wait, in the way of the C interface: none is negative.
inline std::int64_t wait(std::optional<std::chrono::milliseconds> time) {
    return !time ? -1 : time->count() < 0 ? 0 : static_cast<std::int64_t>(time->count());
}

/// The owner of one handle: movable, not copyable, freed once.
template <typename Derived, typename Raw, void (*Free)(Raw*)>
class Owner {
public:
    /// Takes a handle over from C.
    static Derived adopt(Raw* handle) { return Derived(Adopted{handle}); }
    /// The handle for C functions, borrowed; NULL when the object is empty.
    Raw* get() const noexcept { return handle_.get(); }
    /// Gives the handle away: free it with its C function.
    [[nodiscard]] Raw* release() noexcept { return handle_.release(); }
    /// Whether there is a handle.
    explicit operator bool() const noexcept { return handle_ != nullptr; }

protected:
    struct Adopted {
        Raw* handle;
    };
    struct Deleter {
        void operator()(Raw* handle) const noexcept { Free(handle); }
    };
    explicit Owner(Raw* handle) noexcept : handle_(handle) {}

private:
    std::unique_ptr<Raw, Deleter> handle_;
};

/// The owner of a handle that is set up by setters, which can be chained. One that is refused does
/// not throw: what uses the object throws the first of them.
template <typename Derived, typename Raw, void (*Free)(Raw*)>
class Builder : public Owner<Derived, Raw, Free> {
protected:
    using Owner<Derived, Raw, Free>::Owner;

    /// Calls a C setter with what it was given, in the way of the C interface.
    template <typename Setter, typename... Arguments>
    Derived& set(Setter setter, Arguments... arguments) {
        if (!this->get()) raise(GIGACHAT_ERROR_NULL_ARGUMENT, nullptr);
        static_cast<void>(setter(this->get(), arguments...));
        return static_cast<Derived&>(*this);
    }
    template <typename Setter>
    Derived& set(Setter setter, std::string_view text) {
        return set(setter, text.data(), text.size());
    }
    template <typename Setter>
    Derived& set(Setter setter, std::string_view first, std::string_view second) {
        return set(setter, first.data(), first.size(), second.data(), second.size());
    }
    template <typename Setter>
    Derived& set(Setter setter, std::chrono::milliseconds time) {
        return set(setter, limit(time));
    }
};

}  // namespace detail

/// An argument that may be left out: nothing, or a reference to an object that is not empty.
template <typename T>
class Optional {
public:
    Optional() noexcept : handle_(nullptr) {}
    Optional(const T& object) : handle_(object.get()) {  // NOLINT: meant to convert
        if (!handle_) detail::raise(GIGACHAT_ERROR_NULL_ARGUMENT, nullptr);
    }
    /// The handle, or NULL when the argument was left out.
    auto get() const noexcept { return handle_; }

private:
    decltype(std::declval<const T&>().get()) handle_;
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_HANDLE
