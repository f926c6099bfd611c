// Every failure is thrown as the class named after it, and carries what is known of it.

#include "check.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

std::string status_fault(int code, const char* headers = "{}") {
    return R"({"type": "status", "code": )" + std::to_string(code) + R"(, "headers": )" + headers + "}";
}

gigachat::Response answer_with(int code) { return provider().perform(faulty("Hello", status_fault(code))); }

void an_http_status_has_its_class() {
    CHECK(THROWN(InvalidRequestError, answer_with(400)).http_status() == 400);
    CHECK(THROWN(AuthenticationError, answer_with(401)).http_status() == 401);
    CHECK(THROWN(PaymentRequiredError, answer_with(402)).http_status() == 402);
    CHECK(THROWN(PermissionDeniedError, answer_with(403)).http_status() == 403);
    CHECK(THROWN(NotFoundError, answer_with(404)).http_status() == 404);
    CHECK(THROWN(PayloadTooLargeError, answer_with(413)).http_status() == 413);
    CHECK(THROWN(InvalidRequestError, answer_with(422)).http_status() == 422);
    CHECK(THROWN(RateLimitError, answer_with(429)).http_status() == 429);
    CHECK(THROWN(ServerError, answer_with(500)).http_status() == 500);
    CHECK(THROWN(ServerError, answer_with(503)).http_status() == 503);
}

void an_error_says_all_that_is_known() {
    gigachat::Request request = faulty("Hello", status_fault(429, R"({"Retry-After": "7"})"));
    request.set("request_id", "11111111-2222-3333-4444-555555555555");
    const auto error = THROWN(RateLimitError, provider().perform(request));
    CHECK(error.status() == GIGACHAT_ERROR_RATE_LIMIT);
    CHECK(gigachat_error_status(error.get()) == error.status());
    CHECK(error.kind() == "rate_limit");
    CHECK(error.phase() == "answer");
    CHECK(!error.request_id().empty());
    CHECK(error.retry_after() == 7s);
    CHECK(error.retryable());
    CHECK(error.attempts() == 1);
    CHECK(!error.body().empty());
    CHECK(error.partial_text().empty());
    CHECK(std::string(error.what()).find("429") != std::string::npos);
}

void what_is_not_known_is_empty() {
    const auto error = THROWN(InvalidRequestError, provider().generate("Hello", gigachat::Params().set_temperature(3)));
    CHECK(std::string(error.what()).find("temperature") != std::string::npos);
    CHECK(error.http_status() == 0);
    CHECK(error.service_code() == 0);
    CHECK(!error.retry_after());
    CHECK(!error.retryable());
    CHECK(error.attempts() == 0);
    CHECK(error.body().empty());
}

void a_failure_on_the_way_has_its_class() {
    gigachat::Request late = faulty("Hello", never);
    late.set("timeout", 50ms);
    CHECK(THROWN(TimeoutError, provider().perform(late)).http_status() == 0);
    THROWN(ConnectionError, provider().perform(faulty("Hello", R"({"type": "cut_before_answer"})")));
    THROWN(ProtocolError, provider().perform(faulty("Hello", R"({"type": "truncated_json", "bytes": 10})")));

    auto broken = provider().open(faulty("count to 5", R"({"type": "omit_done"})"));
    const auto read_all = [&] {
        while (broken.next()) {
        }
    };
    const auto incomplete = THROWN(IncompleteStreamError, read_all());
    CHECK(incomplete.partial_text() == "1, 2, 3, 4, 5");
}

void an_unknown_root_is_a_tls_error() {
    const std::string bundle = std::getenv("GIGACHAT_CA_BUNDLE_FILE");
    unsetenv("GIGACHAT_CA_BUNDLE_FILE");
    const gigachat::Provider distrustful = provider();
    setenv("GIGACHAT_CA_BUNDLE_FILE", bundle.c_str(), 1);
    THROWN(TlsError, distrustful.generate("Hello"));
}

void a_cancelled_call_has_its_class() {
    const gigachat::CancelToken token;
    token.cancel();
    THROWN(CancelledError, provider().generate("Hello", {}, token));
}

void bad_input_has_its_class() {
    THROWN(ConfigurationError, gigachat::Provider{gigachat::Config().set_scope("GIGACHAT_API_NOBODY")});
    THROWN(InvalidRequestError, provider().perform(gigachat::Request::from_json("{")));
    THROWN(InvalidUtf8Error, provider().perform(gigachat::Request().set("model", "\xff")));
    THROWN(ConfigurationError, gigachat::Provider{gigachat::Config().set_timeout(-1ms)});
}

void misuse_has_its_class() {
    gigachat::CancelToken token;
    const gigachat::CancelToken moved = std::move(token);
    THROWN(NullArgumentError, token.cancel());  // NOLINT: that is the test

    gigachat::CancelToken twin = gigachat::CancelToken::adopt(moved.get());
    gigachat_cancel_free(twin.get());
    THROWN(InvalidHandleError, twin.cancel());

    const gigachat::Call call = provider().generate_start("Hello");
    CHECK(call.wait(bound));
    CHECK(call.take()->text().size() > 0);
    THROWN(AlreadyTakenError, call.take());
    call.on_done([](gigachat::CallRef, gigachat_status) {});
    THROWN(AlreadySetError, call.on_done([](gigachat::CallRef, gigachat_status) {}));

    THROWN(TooLateError, gigachat::set_io_threads(2));
}

void shutdown_in_a_callback_would_deadlock() {
    std::promise<gigachat_status> told;
    const gigachat::Call call = provider().generate_start("Hello");
    call.on_done([&](gigachat::CallRef, gigachat_status) {
        try {
            gigachat::shutdown(1s);
            told.set_value(GIGACHAT_OK);
        } catch (const gigachat::WouldDeadlockError& error) {
            told.set_value(error.status());
        }
    });
    auto status = told.get_future();
    SOON(status);
    CHECK(status.get() == GIGACHAT_ERROR_WOULD_DEADLOCK);
}

void a_call_begun_during_shutdown_is_refused() {
    std::promise<gigachat_status> told;
    const gigachat::Provider asked = provider();
    const gigachat::Call call = asked.start(faulty("Hello", never));
    call.on_done([&](gigachat::CallRef, gigachat_status) {
        try {
            asked.generate("Hello");
            told.set_value(GIGACHAT_OK);
        } catch (const gigachat::Error& error) {
            told.set_value(error.status());
        }
    });
    gigachat::shutdown(bound);  // cancels the call, whose callback begins another one
    auto status = told.get_future();
    SOON(status);
    CHECK(status.get() == GIGACHAT_ERROR_SHUTDOWN);
    CHECK(THROWN(CancelledError, call.take()).status() == GIGACHAT_ERROR_CANCELLED);
}

void a_call_of_the_parent_is_refused_after_fork() {
    const gigachat::Call call = provider().start(faulty("Hello", never));
    const pid_t child = fork();
    if (child == 0) {
        try {
            call.wait(0ms);
        } catch (const gigachat::ForkedError&) {
            _exit(42);
        } catch (...) {
        }
        _exit(1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    call.cancel();
}

void a_lack_of_descriptors_is_an_internal_error() {
    rlimit before{};
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{3, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    std::exception_ptr kept;
    try {
        const gigachat::Queue queue;
    } catch (...) {
        kept = std::current_exception();  // looked at when there are descriptors: sanitizers need some
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(kept);
    THROWN(InternalError, std::rethrow_exception(kept));
}

void a_status_of_a_newer_library_is_a_plain_error() {
    try {
        gigachat::detail::raise(9999, nullptr);
    } catch (const gigachat::Error& error) {
        CHECK(error.status() == 9999);
        CHECK(std::string(error.what()) == "unknown status");
        CHECK(error.kind().empty());
    }
}

void a_copy_of_an_error_keeps_its_texts() {
    std::exception_ptr kept;
    try {
        gigachat::Provider{gigachat::Config().set_scope("NOBODY")};
    } catch (const std::runtime_error&) {
        kept = std::current_exception();
    }
    std::vector<gigachat::Error> copies;
    try {
        std::rethrow_exception(kept);
    } catch (const gigachat::Error& error) {
        copies.assign(2, error);
    }
    kept = nullptr;
    CHECK(copies[0].kind() == "configuration" && copies[1].kind() == "configuration");
    CHECK(copies[0].get() == copies[1].get());
}

void no_handle_is_left() { CHECK(gigachat::live_handles() == 0); }

}  // namespace

int main() {
    const int failed = run_all({
        {"an_http_status_has_its_class", an_http_status_has_its_class},
        {"an_error_says_all_that_is_known", an_error_says_all_that_is_known},
        {"what_is_not_known_is_empty", what_is_not_known_is_empty},
        {"a_failure_on_the_way_has_its_class", a_failure_on_the_way_has_its_class},
        {"an_unknown_root_is_a_tls_error", an_unknown_root_is_a_tls_error},
        {"a_cancelled_call_has_its_class", a_cancelled_call_has_its_class},
        {"bad_input_has_its_class", bad_input_has_its_class},
        {"misuse_has_its_class", misuse_has_its_class},
        {"shutdown_in_a_callback_would_deadlock", shutdown_in_a_callback_would_deadlock},
        {"a_call_begun_during_shutdown_is_refused", a_call_begun_during_shutdown_is_refused},
        {"a_call_of_the_parent_is_refused_after_fork", a_call_of_the_parent_is_refused_after_fork},
        {"a_lack_of_descriptors_is_an_internal_error", a_lack_of_descriptors_is_an_internal_error},
        {"a_status_of_a_newer_library_is_a_plain_error", a_status_of_a_newer_library_is_a_plain_error},
        {"a_copy_of_an_error_keeps_its_texts", a_copy_of_an_error_keeps_its_texts},
        {"no_handle_is_left", no_handle_is_left},
    });
    gigachat::shutdown(bound);
    return failed;
}
