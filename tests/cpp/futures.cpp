// Futures: a value, an exception, cancelled, dropped, and outlived by nothing.

#include "check.hpp"

namespace {

void a_future_gives_the_answer() {
    const gigachat::Provider asked = provider();
    auto first = asked.generate_async("repeat: one");
    gigachat::Request request;
    request.add_message("user", "repeat: two");
    auto second = asked.perform_async(request);
    auto third = asked.perform_async(gigachat::Request::from_json(R"({"messages": [{"role": "user", "content": "repeat: three"}]})"));
    gigachat::Params params;
    params.set_max_tokens(1);
    auto fourth = asked.generate_async("write 50 tokens", params);
    SOON(fourth);
    CHECK(first.get().text() == "one");
    CHECK(second.get().text() == "two");
    CHECK(third.get().text() == "three");
    CHECK(fourth.get().finish_reason() == "length");
}

void every_operation_has_a_future() {
    auto models = provider().perform_async(gigachat::Request("models"));
    auto health = provider().perform_async(gigachat::Request("health"));
    SOON(models);
    SOON(health);
    CHECK(models.get().count_at("/data") > 0);
    CHECK(health.get().integer_at("/models") > 0);
}

void a_future_throws_what_the_call_would() {
    auto future = provider().perform_async(faulty("Hello", R"({"type": "status", "code": 402})"));
    SOON(future);
    CHECK(THROWN(PaymentRequiredError, future.get()).http_status() == 402);

    auto health = gigachat::Provider(gigachat::Config::from_env().set_base_url("http://127.0.0.1:1/v1"))
                      .perform_async(gigachat::Request("health").set("timeout", bound));
    SOON(health);
    THROWN(ConnectionError, health.get());
}

void a_future_outlives_its_provider() {
    std::future<gigachat::Response> future;
    {
        const gigachat::Provider asked = provider();
        future = asked.generate_async("repeat: orphan");
    }
    SOON(future);
    CHECK(future.get().text() == "orphan");
}

void a_call_lends_a_future_that_can_be_cancelled() {
    const gigachat::Call call = provider().start(faulty("Hello", never));
    auto future = call.future();
    call.cancel();
    SOON(future);
    THROWN(CancelledError, future.get());
    THROWN(AlreadySetError, call.future());
}

void a_destroyed_call_cancels_its_future() {
    std::future<gigachat::Response> future;
    {
        const gigachat::Call call = provider().start(faulty("Hello", never));
        future = call.future();
    }
    SOON(future);
    THROWN(CancelledError, future.get());
}

void a_dropped_future_neither_waits_nor_breaks_anything() {
    const gigachat::Provider asked = provider();
    static_cast<void>(asked.perform_async(faulty("Hello", never)));  // would hang here if it waited
    static_cast<void>(asked.generate_async("Hello"));
    gigachat::shutdown(bound);
    CHECK(asked.generate("repeat: after").text() == "after");
}

void a_shutdown_fulfils_every_future() {
    const gigachat::Provider asked = provider();
    std::vector<std::future<gigachat::Response>> futures;
    for (int i = 0; i < 20; ++i) futures.push_back(asked.perform_async(faulty("Hello", never)));
    gigachat::shutdown(bound);
    for (auto& future : futures) {
        SOON(future);
        THROWN(CancelledError, future.get());
    }
}

void a_future_that_cannot_begin_throws_at_once() {
    gigachat::Provider asked = provider();
    const gigachat::Provider moved = std::move(asked);
    THROWN(NullArgumentError, asked.generate_async("Hello"));  // NOLINT: that is the test
    THROWN(InvalidRequestError, moved.perform_async(gigachat::Request::from_json("{")));
}

void no_handle_is_left() {
    gigachat::shutdown(bound);  // calls live until their destroy hooks have run
    CHECK(gigachat::live_handles() == 0);
}

}  // namespace

int main() {
    return run_all({
        {"a_future_gives_the_answer", a_future_gives_the_answer},
        {"every_operation_has_a_future", every_operation_has_a_future},
        {"a_future_throws_what_the_call_would", a_future_throws_what_the_call_would},
        {"a_future_outlives_its_provider", a_future_outlives_its_provider},
        {"a_call_lends_a_future_that_can_be_cancelled", a_call_lends_a_future_that_can_be_cancelled},
        {"a_destroyed_call_cancels_its_future", a_destroyed_call_cancels_its_future},
        {"a_dropped_future_neither_waits_nor_breaks_anything", a_dropped_future_neither_waits_nor_breaks_anything},
        {"a_shutdown_fulfils_every_future", a_shutdown_fulfils_every_future},
        {"a_future_that_cannot_begin_throws_at_once", a_future_that_cannot_begin_throws_at_once},
        {"no_handle_is_left", no_handle_is_left},
    });
}
