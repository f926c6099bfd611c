// Answers that are read part by part.

#ifndef GIGACHAT_HPP_STREAM
#define GIGACHAT_HPP_STREAM

#include <gigachat.h>

#include "call.hpp"
#include "handle.hpp"
#include "response.hpp"
#include "text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gigachat {

/// One part of a streamed answer.
class Event : public detail::Owner<Event, gigachat_event, &gigachat_event_free> {
public:
    /// An empty event, to be assigned to.
    Event() noexcept : Owner(nullptr) {}

    /// One of the GIGACHAT_EVENT_ constants, or a newer one: skip what is unknown.
    gigachat_event_type kind() const { return gigachat_event_kind(get()); }
    bool is_text() const { return kind() == GIGACHAT_EVENT_TEXT; }
    bool is_function_call() const { return kind() == GIGACHAT_EVENT_FUNCTION_CALL; }
    bool is_progress() const { return kind() == GIGACHAT_EVENT_PROGRESS; }
    bool is_usage() const { return kind() == GIGACHAT_EVENT_USAGE; }

    /// A piece of text, the arguments of a function call, what a progress event says.
    std::string_view text() const& { return detail::text(&gigachat_event_text, get()); }
    std::string text() && { return detail::copy(text()); }
    /// The function's name, of a function call or progress event.
    std::optional<std::string_view> name() const& { return detail::optional_text(&gigachat_event_name, get()); }
    std::optional<std::string> name() && { return detail::copy(name()); }
    /// The state id of a function call.
    std::optional<std::string_view> functions_state_id() const& {
        return detail::optional_text(&gigachat_event_functions_state_id, get());
    }
    std::optional<std::string> functions_state_id() && { return detail::copy(functions_state_id()); }

    /// Token usage, of a usage event.
    std::optional<std::int64_t> prompt_tokens() const {
        return detail::known(gigachat_event_prompt_tokens(get()));
    }
    std::optional<std::int64_t> completion_tokens() const {
        return detail::known(gigachat_event_completion_tokens(get()));
    }
    std::optional<std::int64_t> total_tokens() const { return detail::known(gigachat_event_total_tokens(get())); }
    std::optional<std::int64_t> precached_prompt_tokens() const {
        return detail::known(gigachat_event_precached_prompt_tokens(get()));
    }

private:
    friend Owner;
    explicit Event(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

/// What reading a stream without waiting for its end gives.
enum class Reading {
    event,    ///< an event
    not_yet,  ///< nothing came in time
    end,      ///< the answer is complete
};

/// An answer that is read part by part; destroying it cancels it.
///
///     for (const gigachat::Event& event : stream) ...
///
/// The loop ends with the answer; a stream that breaks throws, after everything that had arrived.
class Stream : public detail::Owner<Stream, gigachat_stream, &gigachat_stream_free> {
public:
    /// Reads the stream; one pass. The event is valid until the next step, and may be moved away.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using pointer = Event*;
        using reference = Event&;

        /// The end.
        Iterator() noexcept = default;
        /// Reads the first event.
        explicit Iterator(Stream& stream) : stream_(&stream) { ++*this; }
        Event& operator*() const noexcept { return stream_->current_; }
        Event* operator->() const noexcept { return &stream_->current_; }
        Iterator& operator++() {
            if (stream_->read(stream_->current_) == Reading::end) stream_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.stream_ == b.stream_; }
        friend bool operator!=(const Iterator& a, const Iterator& b) noexcept { return a.stream_ != b.stream_; }

    private:
        Stream* stream_ = nullptr;
    };

    /// Waits for the next event; nothing when the answer is complete.
    std::optional<Event> next() {
        Event event;
        return read(event) == Reading::end ? std::nullopt : std::optional<Event>(std::move(event));
    }
    /// Waits up to `timeout` for the next event, which is put into `event`; without a timeout as
    /// long as the stream's own time limits let it.
    Reading read(Event& event, std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
        gigachat_event* made = nullptr;
        const gigachat_status status = detail::call(&gigachat_stream_next, get(), detail::wait(timeout), &made);
        event = Event::adopt(made);
        return status == GIGACHAT_OK          ? Reading::event
               : status == GIGACHAT_STREAM_END ? Reading::end
                                               : Reading::not_yet;
    }
    /// Waits for the next piece of text, valid until the next one is asked for; nothing when the answer is
    /// complete. Other events are passed over.
    std::optional<std::string_view> next_text() {
        const char* text = nullptr;
        std::size_t length = 0;
        const std::int64_t no_limit = -1;
        const gigachat_status status = detail::call(&gigachat_stream_next_text, get(), no_limit, &text, &length);
        return status == GIGACHAT_OK ? std::optional<std::string_view>(std::in_place, text, length) : std::nullopt;
    }
    /// Reads the first event; a stream is gone over once.
    Iterator begin() { return Iterator(*this); }
    Iterator end() const noexcept { return Iterator(); }

    /// The whole answer of a stream that was read to its end; nothing before.
    std::optional<Response> response() const {
        gigachat_response* response = nullptr;
        if (detail::call(&gigachat_stream_response, get(), &response) == GIGACHAT_NOT_YET) return std::nullopt;
        return Response::adopt(response);
    }
    /// Ends the stream now, from any thread; the reader gets CancelledError.
    void cancel() const { detail::call(&gigachat_stream_cancel, get()); }
    /// Posts `tag` to `queue` whenever there is something to read after there was nothing.
    void attach(const Queue& queue, std::uint64_t tag) const {
        detail::call(&gigachat_stream_attach, get(), queue.get(), tag);
    }

private:
    friend Owner;
    explicit Stream(Adopted adopted) noexcept : Owner(adopted.handle) {}

    Event current_;
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_STREAM
