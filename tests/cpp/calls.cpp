// Calls beside their caller: callbacks, queues, cancellation, and what a callback may throw.

#include "check.hpp"

#include <stdexcept>
#include <thread>

namespace {

std::vector<std::string> caught;  // what callbacks threw; they run one after the other

void remember(std::exception_ptr thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        caught.push_back(error.what());
    } catch (...) {
        caught.push_back("something else");
    }
}

void a_call_is_waited_for_and_taken() {
    const gigachat::Provider asked = provider();
    const gigachat::Call call = asked.generate_start("repeat: taken");
    CHECK(call.wait(bound));
    CHECK(call.take()->text() == "taken");

    const gigachat::Call models = asked.start(gigachat::Request("models"));
    CHECK(models.wait(bound));
    CHECK(models.take()->count_at("/data") > 0);

    const gigachat::Call health = asked.start(gigachat::Request("health").set("timeout", bound));
    CHECK(health.wait(bound));
    CHECK(health.take()->total_time() > 0us);
    THROWN(AlreadyTakenError, health.take());
    CHECK(asked.health_check() > 0us);
}

void a_running_call_has_nothing_to_take() {
    const gigachat::Call call = provider().start(faulty("Hello", never));
    CHECK(!call.wait(0ms));
    CHECK(!call.take());
}

void a_callback_gets_the_result() {
    std::promise<std::string> told;
    const gigachat::Call call = provider().start(gigachat::Request::from_json(R"({"messages": [{"role": "user", "content": "repeat: told"}]})"));
    call.on_done([&](gigachat::CallRef ended, gigachat_status status) {
        told.set_value(status == GIGACHAT_OK ? ended.take()->text().data() : "failed");
    });
    auto text = told.get_future();
    SOON(text);
    CHECK(text.get() == "told");
}

void a_callback_may_own_what_cannot_be_copied_and_is_destroyed() {
    std::promise<void> told;
    auto ended = told.get_future();
    auto owned = std::make_shared<int>(5);
    const std::weak_ptr<int> watched = owned;
    {
        const gigachat::Call call = provider().generate_start("Hello");
        call.on_done([owned = std::move(owned), told = std::move(told)](gigachat::CallRef, gigachat_status) mutable {
            told.set_value();
        });
        SOON(ended);
    }
    gigachat::shutdown(bound);  // the destroy hooks have run
    CHECK(watched.expired());
}

void a_call_that_is_destroyed_tells_its_callback() {
    std::promise<gigachat_status> told;
    auto status = told.get_future();
    {
        const gigachat::Call call = provider().start(faulty("Hello", never));
        call.on_done([&](gigachat::CallRef, gigachat_status ended) { told.set_value(ended); });
    }
    SOON(status);
    CHECK(status.get() == GIGACHAT_ERROR_CANCELLED);
}

void what_a_callback_throws_stays_outside_the_library() {
    const auto before = gigachat::on_callback_exception(&remember);
    caught.clear();
    const gigachat::Provider asked = provider();
    for (const int kind : {1, 2}) {
        const gigachat::Call call = asked.generate_start("Hello");
        call.on_done([kind](gigachat::CallRef, gigachat_status) {
            if (kind == 1) throw std::runtime_error("from a callback");
            throw kind;
        });
        CHECK(call.wait(bound));
        CHECK(call.take()->text().size() > 0);  // nor does it spoil the result
    }
    gigachat::shutdown(bound);
    CHECK((caught == std::vector<std::string>{"from a callback", "something else"}));
    CHECK(gigachat::on_callback_exception(before) == &remember);
    CHECK(asked.generate("repeat: still here").text() == "still here");
}

void the_log_callback_may_throw_too() {
    const auto before = gigachat::on_callback_exception(&remember);
    caught.clear();
    auto owned = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = owned;
    gigachat::set_log_callback(
        GIGACHAT_LOG_TRACE, [owned = std::move(owned)](gigachat_log_level level, std::string_view target, std::string_view message) {
            if (level < GIGACHAT_LOG_ERROR || target.empty() || message.empty()) throw 1;
            throw std::runtime_error("from the log");
        });
    CHECK(stranger().generate("repeat: logged").text() == "logged");
    gigachat::shutdown(bound);
    gigachat::clear_log_callback();
    gigachat::on_callback_exception(before);
    CHECK(!caught.empty() && caught.front() == "from the log" && caught.back() == "from the log");
    CHECK(watched.expired());
}

void a_log_level_of_off_removes_the_callback() {
    auto owned = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = owned;
    gigachat::set_log_callback(GIGACHAT_LOG_OFF, [owned = std::move(owned)](gigachat_log_level, std::string_view,
                                                                             std::string_view) {});
    CHECK(watched.expired());
}

void a_queue_collects_ended_calls() {
    const gigachat::Provider asked = provider();
    const gigachat::Queue queue;
    CHECK(queue.descriptor() >= 0);
    std::vector<gigachat::Call> calls;
    for (std::uint64_t tag = 0; tag < 5; ++tag) {
        calls.push_back(asked.generate_start("repeat: " + std::to_string(tag)));
        calls.back().attach(queue, tag);
    }
    std::vector<bool> seen(calls.size());
    for (std::size_t ended = 0; ended < calls.size();) {
        std::uint64_t tags[2];
        const std::size_t count = queue.take(tags, 2, bound);
        CHECK(count > 0);
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(!seen.at(tags[i]));
            seen[tags[i]] = true;
            CHECK(calls[tags[i]].take()->text() == std::to_string(tags[i]));
        }
        ended += count;
    }
    std::uint64_t none = 0;
    CHECK(queue.take(&none, 1, 0ms) == 0);
}

void a_program_wakes_its_own_loop() {
    gigachat::Queue queue;
    std::uint64_t tag = 0;
    std::thread other([&] { queue.post(77); });
    CHECK(queue.take(&tag, 1, bound) == 1);
    CHECK(tag == 77);
    other.join();
}

void a_token_ends_a_blocking_call_from_another_thread() {
    const gigachat::Provider asked = provider();
    const gigachat::CancelToken token;
    std::thread canceller([&] { token.cancel(); });
    THROWN(CancelledError, asked.perform(faulty("Hello", never), token));
    canceller.join();
    THROWN(CancelledError, asked.models(token));
    THROWN(CancelledError, asked.health_check(bound, token));
}

void a_cancelled_call_stays_cancelled_and_an_ended_one_ended() {
    const gigachat::Provider asked = provider();
    const gigachat::Call running = asked.start(faulty("Hello", never));
    running.cancel();
    running.cancel();
    CHECK(running.wait(bound));
    THROWN(CancelledError, running.take());

    const gigachat::Call ended = asked.generate_start("repeat: done");
    CHECK(ended.wait(bound));
    ended.cancel();
    CHECK(ended.take()->text() == "done");
}

void no_handle_is_left() { CHECK(gigachat::live_handles() == 0); }

}  // namespace

int main() {
    const int failed = run_all({
        {"a_call_is_waited_for_and_taken", a_call_is_waited_for_and_taken},
        {"a_running_call_has_nothing_to_take", a_running_call_has_nothing_to_take},
        {"a_callback_gets_the_result", a_callback_gets_the_result},
        {"a_callback_may_own_what_cannot_be_copied_and_is_destroyed", a_callback_may_own_what_cannot_be_copied_and_is_destroyed},
        {"a_call_that_is_destroyed_tells_its_callback", a_call_that_is_destroyed_tells_its_callback},
        {"what_a_callback_throws_stays_outside_the_library", what_a_callback_throws_stays_outside_the_library},
        {"the_log_callback_may_throw_too", the_log_callback_may_throw_too},
        {"a_log_level_of_off_removes_the_callback", a_log_level_of_off_removes_the_callback},
        {"a_queue_collects_ended_calls", a_queue_collects_ended_calls},
        {"a_program_wakes_its_own_loop", a_program_wakes_its_own_loop},
        {"a_token_ends_a_blocking_call_from_another_thread", a_token_ends_a_blocking_call_from_another_thread},
        {"a_cancelled_call_stays_cancelled_and_an_ended_one_ended", a_cancelled_call_stays_cancelled_and_an_ended_one_ended},
        {"no_handle_is_left", no_handle_is_left},
    });
    gigachat::shutdown(bound);
    return failed;
}
