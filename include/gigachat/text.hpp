// Texts and counts as the C interface lends them, as C++ values. For the other headers only.

#ifndef GIGACHAT_HPP_TEXT
#define GIGACHAT_HPP_TEXT

#include <gigachat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gigachat {

namespace detail {

/// A text lent by an accessor; empty when there is none.
template <typename Raw>
std::string_view text(const char* (*accessor)(const Raw*, std::size_t*), const Raw* raw) {
    std::size_t length = 0;
    const char* start = accessor(raw, &length);
    return start ? std::string_view(start, length) : std::string_view();
}

/// A text lent by an accessor, if there is one.
template <typename Raw>
std::optional<std::string_view> optional_text(const char* (*accessor)(const Raw*, std::size_t*), const Raw* raw) {
    std::size_t length = 0;
    const char* start = accessor(raw, &length);
    return start ? std::optional<std::string_view>(std::in_place, start, length) : std::nullopt;
}

/// A copy of a text that would die with its temporary owner.
inline std::string copy(std::string_view text) { return std::string(text); }
inline std::optional<std::string> copy(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>(std::in_place, *text) : std::nullopt;
}

/// A count that the C interface gives as -1 when it is not known.
inline std::optional<std::int64_t> known(std::int64_t count) {
    return count < 0 ? std::nullopt : std::optional<std::int64_t>(count);
}

}  // namespace detail

}  // namespace gigachat

#endif  // GIGACHAT_HPP_TEXT
