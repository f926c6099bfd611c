// What the C++ tests share: named cases, checks that say where they failed, and requests that
// make the emulator misbehave. Each program is one file of cases, run with the emulator's
// environment; it leaves with 0 when all cases passed.

#pragma once

#include <gigachat.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <vector>

using namespace std::chrono_literals;

/// Longer than anything here takes: a test that waits so long hangs.
constexpr auto bound = 30s;

struct Failure {
    std::string what;
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
    throw Failure{std::string(file) + ":" + std::to_string(line) + ": " + what};
}

#define CHECK(condition) \
    do { \
        if (!(condition)) fail(__FILE__, __LINE__, #condition); \
    } while (false)

/// The exception of class Expected that `action` throws; anything else is a failure.
template <typename Expected, typename Action>
Expected thrown(const Action& action, const char* file, int line) {
    try {
        action();
    } catch (const Expected& expected) {
        return expected;
    } catch (const gigachat::Error& other) {
        fail(file, line, "another error: " + std::string(gigachat::status_name(other.status())) + ": " + other.what());
    }
    fail(file, line, "nothing was thrown");
}

/// THROWN(RateLimitError, provider.perform(request)) is the error.
#define THROWN(Expected, action) \
    thrown<gigachat::Expected>([&] { static_cast<void>(action); }, __FILE__, __LINE__)

/// What a future or promise gives; a hang is a failure.
#define SOON(future) \
    do { \
        if ((future).wait_for(bound) != std::future_status::ready) fail(__FILE__, __LINE__, "hangs: " #future); \
    } while (false)

/// A provider that tries each request once.
inline gigachat::Provider provider() {
    gigachat::Config config = gigachat::Config::from_env();
    config.set_max_retries(0).set_timeout(bound);
    return gigachat::Provider{config};
}

/// One with a credential of its own: its first call asks for a token. Equal configurations share one.
inline gigachat::Provider stranger() {
    gigachat::Config config = gigachat::Config::from_env();
    config.set_max_retries(0).set_timeout(bound).set("russian_root_hosts", "stranger.example");
    return gigachat::Provider{config};
}

/// A request that meets a fault of the emulator.
inline gigachat::Request faulty(std::string_view prompt, std::string_view fault) {
    gigachat::Request request;
    request.add_message("user", prompt).set_header("X-Emulator-Fault", fault);
    return request;
}

/// A fault that keeps an answer away for longer than any test runs.
constexpr std::string_view never = R"({"type": "delay_headers", "ms": 600000})";

struct Case {
    const char* name;
    std::function<void()> run;
};

inline int run_all(const std::vector<Case>& cases) {
    int failures = 0;
    for (const Case& test : cases) {
        std::string outcome = "ok";
        try {
            test.run();
        } catch (const Failure& failure) {
            outcome = "FAILED at " + failure.what;
        } catch (const gigachat::Error& error) {
            outcome = "FAILED, threw " + std::string(gigachat::status_name(error.status())) + ": " + error.what();
        } catch (const std::exception& error) {
            outcome = std::string("FAILED, threw ") + error.what();
        }
        failures += outcome == "ok" ? 0 : 1;
        std::printf("%s ... %s\n", test.name, outcome.c_str());
        std::fflush(stdout);
    }
    return failures == 0 ? 0 : 1;
}
