// A stream is a range of events, can be polled, cancelled from another thread, and left early.

#include "check.hpp"

#include <algorithm>
#include <thread>

namespace {

/// Sends so much of an answer, then nothing.
std::string stall(int chunks) { return R"({"type": "stall_after", "chunks": )" + std::to_string(chunks) + "}"; }

std::string joined(gigachat::Stream stream) {
    std::string text;
    for (const gigachat::Event& event : stream) {
        if (event.is_text()) text += event.text();
    }
    return text;
}

void a_range_for_reads_the_answer() {
    gigachat::Stream stream = provider().generate_stream("count to 20");
    CHECK(!stream.response());
    std::string text;
    int usages = 0;
    for (const gigachat::Event& event : stream) {
        if (event.is_text()) {
            text += event.text();
            CHECK(!event.total_tokens());
        } else if (event.is_usage()) {
            ++usages;
            CHECK(*event.total_tokens() == *event.prompt_tokens() + *event.completion_tokens());
            CHECK(event.precached_prompt_tokens());
        }
    }
    CHECK(text.rfind("1, 2, 3", 0) == 0 && text.find(", 20") != std::string::npos);
    CHECK(usages == 1);
    const auto answer = stream.response();
    CHECK(answer && answer->text() == text && answer->finish_reason() == "stop");
    CHECK(!stream.next());  // the end stays the end
    CHECK(stream.begin() == stream.end());
}

void a_temporary_stream_can_be_gone_over() {
    const gigachat::Provider asked = provider();
    std::string text;
    for (gigachat::Event& event : asked.generate_stream("repeat: one two")) {
        if (event.is_text()) text += std::move(event).text();
    }
    CHECK(text == "one two");
}

void an_algorithm_can_go_over_a_stream() {
    gigachat::Stream stream = provider().generate_stream("count to 20");
    const auto texts =
        std::count_if(stream.begin(), stream.end(), [](const gigachat::Event& event) { return event.is_text(); });
    CHECK(texts > 1);
}

void an_event_can_be_moved_out_and_outlives_its_stream() {
    std::vector<gigachat::Event> kept;
    {
        gigachat::Stream stream = provider().generate_stream("repeat: kept");
        for (gigachat::Event& event : stream) kept.push_back(std::move(event));
    }
    CHECK(kept.size() >= 2);
    CHECK(kept.front().kind() == GIGACHAT_EVENT_TEXT);
    CHECK(kept.front().text().size() > 0);
    CHECK(kept.back().kind() == GIGACHAT_EVENT_USAGE);
}

void a_function_call_comes_as_an_event() {
    gigachat::Request request;
    request.add_message("user", "What is the weather?")
        .add_function(R"({"name": "weather", "parameters": {"type": "object", "properties": {}}})");
    int calls = 0;
    for (const gigachat::Event& event : provider().open(request)) {
        if (!event.is_function_call()) continue;
        ++calls;
        CHECK(event.name() == "weather");
        CHECK(event.text() == "{}");
        CHECK(event.functions_state_id());
    }
    CHECK(calls == 1);
}

void every_kind_of_request_can_be_streamed() {
    gigachat::Request request;
    request.add_message("user", "repeat: built");
    CHECK(joined(provider().open(request)) == "built");
    CHECK(joined(provider().open(gigachat::Request::from_json(R"({"messages": [{"role": "user", "content": "repeat: raw"}]})"))) ==
          "raw");
    gigachat::Params params;
    params.set("stop", "three");
    CHECK(joined(provider().generate_stream("repeat: one two three four", params)) == "one two ");
}

void text_can_be_read_piece_by_piece() {
    gigachat::Stream stream = provider().generate_stream("repeat: piece by piece");
    std::string whole;
    while (const auto piece = stream.next_text()) {
        CHECK(!piece->empty());
        whole += *piece;
    }
    CHECK(whole == "piece by piece" && stream.response()->text() == whole);
}

void a_stream_can_be_read_without_waiting() {
    gigachat::Stream stream = provider().open(faulty("count to 20", stall(1)));
    gigachat::Event event;
    CHECK(stream.read(event) == gigachat::Reading::event);
    CHECK(event.is_text());
    CHECK(stream.read(event, 0ms) == gigachat::Reading::not_yet);
    CHECK(!event);
}

void a_cancel_from_another_thread_ends_the_reader() {
    gigachat::Stream stream = provider().open(faulty("count to 20", stall(1)));
    std::thread canceller;
    std::string seen;
    const auto read_all = [&] {
        for (const gigachat::Event& event : stream) {
            if (!event.is_text()) continue;
            seen += event.text();
            if (!canceller.joinable()) canceller = std::thread([&] { stream.cancel(); });
        }
    };
    const auto error = THROWN(CancelledError, read_all());
    canceller.join();
    CHECK(!seen.empty() && error.partial_text() == seen);
}

void a_stream_that_is_left_frees_its_permit() {
    const gigachat::Provider asked = provider();
    for (const gigachat::Event& event : asked.open(faulty("count to 20", stall(1)))) {
        CHECK(event.is_text());
        break;
    }
    CHECK(asked.generate("repeat: next").text() == "next");
}

void a_queue_tells_when_there_is_something_to_read() {
    const gigachat::Queue queue;
    gigachat::Stream stream = provider().generate_stream("count to 20");
    stream.attach(queue, 7);
    std::string text;
    gigachat::Event event;
    for (auto reading = gigachat::Reading::not_yet; reading != gigachat::Reading::end;) {
        std::uint64_t tag = 0;
        CHECK(queue.take(&tag, 1, bound) == 1 && tag == 7);
        while ((reading = stream.read(event, 0ms)) == gigachat::Reading::event) {
            if (event.is_text()) text += event.text();
        }
    }
    CHECK(text.find(", 20") != std::string::npos);
}

void a_refused_stream_throws_at_the_first_step() {
    gigachat::Stream stream = provider().open(faulty("Hello", R"({"type": "status", "code": 403})"));
    THROWN(PermissionDeniedError, stream.begin());
}

void no_handle_is_left() { CHECK(gigachat::live_handles() == 0); }

}  // namespace

int main() {
    const int failed = run_all({
        {"a_range_for_reads_the_answer", a_range_for_reads_the_answer},
        {"a_temporary_stream_can_be_gone_over", a_temporary_stream_can_be_gone_over},
        {"an_algorithm_can_go_over_a_stream", an_algorithm_can_go_over_a_stream},
        {"an_event_can_be_moved_out_and_outlives_its_stream", an_event_can_be_moved_out_and_outlives_its_stream},
        {"a_function_call_comes_as_an_event", a_function_call_comes_as_an_event},
        {"every_kind_of_request_can_be_streamed", every_kind_of_request_can_be_streamed},
        {"text_can_be_read_piece_by_piece", text_can_be_read_piece_by_piece},
        {"a_stream_can_be_read_without_waiting", a_stream_can_be_read_without_waiting},
        {"a_cancel_from_another_thread_ends_the_reader", a_cancel_from_another_thread_ends_the_reader},
        {"a_stream_that_is_left_frees_its_permit", a_stream_that_is_left_frees_its_permit},
        {"a_queue_tells_when_there_is_something_to_read", a_queue_tells_when_there_is_something_to_read},
        {"a_refused_stream_throws_at_the_first_step", a_refused_stream_throws_at_the_first_step},
        {"no_handle_is_left", no_handle_is_left},
    });
    gigachat::shutdown(bound);
    return failed;
}
