// Providers that the program answers for itself: replies now, later, never; what callables throw;
// how long they live.

#include "own.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <type_traits>

namespace {

template <typename... Classes>
constexpr bool move_only = ((std::is_move_constructible_v<Classes> && std::is_move_assignable_v<Classes> &&
                             !std::is_copy_constructible_v<Classes> && !std::is_copy_assignable_v<Classes>)&&...);
static_assert(move_only<gigachat::Reply, gigachat::OwnProvider>);
static_assert(std::is_nothrow_move_constructible_v<gigachat::Reply>);

void an_own_provider_answers_whole_in_parts_and_about_its_health() {
    std::atomic<bool> healthy{true};
    const gigachat::Provider own =
        gigachat::OwnProvider("own")
            .set_generate([](std::string_view request, gigachat::Reply reply) {
                THROWN(InvalidRequestError, reply.push("part"));
                reply.finish(request, "length");
            })
            .set_stream([](std::string_view, gigachat::Reply reply) {
                reply.push("in ");
                reply.push("parts");
                reply.finish();
            })
            .set_health_check([&](std::string_view request, gigachat::Reply reply) {
                if (healthy && request.empty()) return reply.finish();
                reply.fail(GIGACHAT_ERROR_SERVER, "unwell");
            })
            .build();
    const gigachat::Response answer = own.generate("Hello");
    CHECK(answer.text().find(R"("content":"Hello")") != std::string::npos);
    CHECK(answer.finish_reason() == "length");
    CHECK(all_text(own.generate_stream("Hello")) == "in parts");
    own.health_check();
    healthy = false;
    THROWN(ServerError, own.health_check());
}

void it_can_answer_in_the_wire_format() {
    const gigachat::Provider own =
        gigachat::OwnProvider("own")
            .set_generate([](std::string_view, gigachat::Reply reply) {
                THROWN(ProtocolError, reply.finish_json("{}"));
                reply.finish_json(R"({"model": "mine", "choices": [{"message": {"role": "assistant", "content": "wired"},
                                      "index": 0, "finish_reason": "stop"}]})");
            })
            .build();
    const gigachat::Response answer = own.generate("Hello");
    CHECK(answer.text() == "wired" && answer.model() == "mine");
}

void its_failures_are_the_callers() {
    const gigachat::Provider own =
        gigachat::OwnProvider("own")
            .set_generate([](std::string_view, gigachat::Reply reply) {
                reply.fail(GIGACHAT_ERROR_RATE_LIMIT, "slower", 7s);
            })
            .build();
    const auto error = THROWN(RateLimitError, own.generate("Hello"));
    CHECK(error.retry_after() == 7s && std::string(error.what()).find("slower") != std::string::npos);
    THROWN(InvalidRequestError, own.generate_stream("Hello").next());  // it has no callback for that
}

void a_reply_may_come_later_from_another_thread() {
    Silent silent;
    auto answer = silent.provider.generate_async("Hello");
    std::thread answering([reply = silent.reply()] { reply.finish("later"); });
    SOON(answer);
    CHECK(answer.get().text() == "later");
    answering.join();
}

void a_reply_is_given_once() {
    Silent silent;
    auto answer = silent.provider.generate_async("Hello");
    const gigachat::Reply reply = silent.reply();
    reply.finish("first");
    THROWN(AlreadyTakenError, reply.finish("second"));
    THROWN(AlreadyTakenError, reply.fail(GIGACHAT_ERROR_SERVER, "third"));
    THROWN(AlreadyTakenError, reply.on_cancel([] {}));
    CHECK(!reply.is_cancelled());
    SOON(answer);
    CHECK(answer.get().text() == "first");
}

void a_reply_dropped_fails_its_request() {
    const gigachat::Provider own =
        gigachat::OwnProvider("own").set_generate([](std::string_view, gigachat::Reply) {}).build();
    THROWN(InternalError, own.generate("Hello"));

    Silent silent;
    auto answer = silent.provider.generate_async("Hello");
    { const gigachat::Reply dropped = silent.reply(); }
    SOON(answer);
    THROWN(InternalError, answer.get());
}

void a_cancelled_request_tells_the_reply() {
    Silent silent;
    std::promise<void> cancelled;
    const gigachat::Call call = silent.provider.generate_start("Hello");
    const gigachat::Reply reply = silent.reply();
    const auto owned = std::make_shared<int>(5);
    reply.on_cancel([&cancelled, owned] { cancelled.set_value(); });
    THROWN(AlreadySetError, reply.on_cancel([] {}));
    CHECK(!reply.is_cancelled());

    call.cancel();
    auto told = cancelled.get_future();
    SOON(told);
    CHECK(reply.is_cancelled());
    reply.finish("late");
    CHECK(call.wait(bound));
    THROWN(CancelledError, call.take());
}

void an_answered_reply_destroys_its_watch() {
    Silent silent;
    auto owned = std::make_shared<int>(5);
    const std::weak_ptr<int> watched = owned;
    auto answer = silent.provider.generate_async("Hello");
    const gigachat::Reply reply = silent.reply();
    reply.on_cancel([owned = std::move(owned)] { static_cast<void>(owned); });
    CHECK(!watched.expired());
    reply.finish("done");
    SOON(answer);
    gigachat::shutdown(bound);  // ends the thread on which it is destroyed
    CHECK(watched.expired());
}

/// What a provider fails with whose callable runs `action`.
template <typename Expected, typename Action>
Expected thrown_through(Action action) {
    const gigachat::Provider own =
        gigachat::OwnProvider("throwing")
            .set_generate([action](std::string_view, gigachat::Reply reply) { action(std::move(reply)); })
            .build();
    return thrown<Expected>([&] { own.generate("Hello"); }, __FILE__, __LINE__);
}

bool says(const gigachat::Error& error, const char* text) {
    return std::string(error.what()).find(text) != std::string::npos;
}

void what_a_callable_throws_fails_the_request() {
    using gigachat::InternalError;
    using gigachat::Reply;
    CHECK(says(thrown_through<InternalError>([](Reply) { throw std::runtime_error("no model"); }), "no model"));
    CHECK(says(thrown_through<InternalError>([](Reply) { throw 42; }), "no std::exception"));
    // An error of the library keeps its meaning, if it has one for the request.
    const auto limited = thrown_through<gigachat::RateLimitError>(
        [](Reply) { provider().perform(faulty("Hello", R"({"type": "status", "code": 429, "headers": {"Retry-After": "7"}})")); });
    CHECK(limited.retry_after() == 7s && says(limited, "429"));
    thrown_through<InternalError>([](Reply) { gigachat::CancelToken::adopt(nullptr).cancel(); });
}

void what_a_callable_throws_fails_a_reply_that_went_elsewhere() {
    std::promise<gigachat::Reply> kept;
    CHECK(says(thrown_through<gigachat::InternalError>([&](gigachat::Reply reply) {
        kept.set_value(std::move(reply));
        throw std::runtime_error("after all");
    }), "after all"));
    const gigachat::Reply reply = kept.get_future().get();
    THROWN(AlreadyTakenError, reply.finish("too late"));
}

std::promise<std::string> unheard;  // what no request could be told

void what_a_callable_throws_after_its_answer_goes_to_the_handler() {
    const auto before = gigachat::on_callback_exception([](std::exception_ptr caught) noexcept {
        try {
            std::rethrow_exception(caught);
        } catch (const std::exception& error) {
            unheard.set_value(error.what());
        } catch (...) {
        }
    });
    const gigachat::Provider own =
        gigachat::OwnProvider("own")
            .set_generate([](std::string_view, gigachat::Reply reply) {
                reply.finish("answered");
                reply.finish("again");
            })
            .build();
    CHECK(own.generate("Hello").text() == "answered");
    auto heard = unheard.get_future();
    SOON(heard);
    CHECK(heard.get().find("answered before") != std::string::npos);
    gigachat::on_callback_exception(before);
}

void a_builder_makes_several_providers_and_none_without_generate() {
    gigachat::OwnProvider builder("own");
    THROWN(NullArgumentError, builder.build());
    THROWN(ConfigurationError, gigachat::OwnProvider(""));
    builder.set_generate([](std::string_view, gigachat::Reply reply) { reply.finish("first"); });
    const gigachat::Provider first = builder.build();
    builder.set_generate([](std::string_view, gigachat::Reply reply) { reply.finish("second"); });
    const gigachat::Provider second = builder.build();
    CHECK(first.generate("Hello").text() == "first");
    CHECK(second.generate("Hello").text() == "second");
    builder.set_generate(nullptr);
    THROWN(NullArgumentError, builder.build());
    const gigachat::OwnProvider moved = std::move(builder);
    THROWN(NullArgumentError, builder.build());  // NOLINT: use after move is the test
}

void callables_live_as_long_as_the_provider() {
    auto owned = std::make_shared<int>(5);
    const std::weak_ptr<int> watched = owned;
    {
        const gigachat::Provider own =
            gigachat::OwnProvider("own")
                .set_generate([owned = std::move(owned)](std::string_view, gigachat::Reply reply) {
                    reply.finish(std::to_string(*owned));
                })
                .build();
        CHECK(own.generate("Hello").text() == "5");
        CHECK(!watched.expired());
    }
    gigachat::shutdown(bound);  // ends the thread on which they are destroyed
    CHECK(watched.expired());
}

void no_handle_is_left() {
    gigachat::shutdown(bound);  // the last replies are freed on a thread of the library
    CHECK(gigachat::live_handles() == 0);
}

}  // namespace

int main() {
    return run_all({
        {"an_own_provider_answers_whole_in_parts_and_about_its_health", an_own_provider_answers_whole_in_parts_and_about_its_health},
        {"it_can_answer_in_the_wire_format", it_can_answer_in_the_wire_format},
        {"its_failures_are_the_callers", its_failures_are_the_callers},
        {"a_reply_may_come_later_from_another_thread", a_reply_may_come_later_from_another_thread},
        {"a_reply_is_given_once", a_reply_is_given_once},
        {"a_reply_dropped_fails_its_request", a_reply_dropped_fails_its_request},
        {"a_cancelled_request_tells_the_reply", a_cancelled_request_tells_the_reply},
        {"an_answered_reply_destroys_its_watch", an_answered_reply_destroys_its_watch},
        {"what_a_callable_throws_fails_the_request", what_a_callable_throws_fails_the_request},
        {"what_a_callable_throws_fails_a_reply_that_went_elsewhere", what_a_callable_throws_fails_a_reply_that_went_elsewhere},
        {"what_a_callable_throws_after_its_answer_goes_to_the_handler", what_a_callable_throws_after_its_answer_goes_to_the_handler},
        {"a_builder_makes_several_providers_and_none_without_generate", a_builder_makes_several_providers_and_none_without_generate},
        {"callables_live_as_long_as_the_provider", callables_live_as_long_as_the_provider},
        {"no_handle_is_left", no_handle_is_left},
    });
}
