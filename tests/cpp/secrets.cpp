// I13 through the C++ wrapper: what its exceptions and log records say holds no key, token, password,
// header value or prompt, whatever fails.

#include "check.hpp"

#include <mutex>

namespace {

constexpr std::string_view password = "MARKED-PASSWORD";
constexpr std::string_view header = "MARKED-HEADER-VALUE";
constexpr std::string_view prompt = "MARKED-PROMPT";

std::mutex lock;
std::string said;
int records = 0;
int failures = 0;

void say(std::string_view text) {
    const std::lock_guard<std::mutex> held(lock);
    said.append(text).push_back('\n');
}

/// Does something; if it fails, notes everything that the exception says but the service's own words
/// (body and partial text), which may be the prompt's: SECURITY.md.
template <typename Action>
void attempt(const Action& action) {
    try {
        action();
    } catch (const gigachat::Error& error) {
        ++failures;
        say(error.what());
        say(error.kind());
        say(error.phase());
        say(error.request_id());
    }
}

gigachat::Config marked() {
    gigachat::Config config = gigachat::Config::from_env();
    config.set_max_retries(0).set("extra_headers", "x-gateway: " + std::string(header));
    config.set("private_key_password", std::string(password));
    return config;
}

void ask_everything(const gigachat::Provider& provider) {
    for (const char* fault : {
             R"({"type": "delay_headers", "ms": 0})",
             R"({"type": "status", "code": 400})",
             R"({"type": "status", "code": 401})",
             R"({"type": "status", "code": 429})",
             R"({"type": "html_error", "code": 502})",
             R"({"type": "cut_before_answer"})",
             R"({"type": "truncated_json", "bytes": 30})",
             R"({"type": "error_event", "after": 1})",
             R"({"type": "omit_done"})",
         }) {
        const gigachat::Request request = faulty(prompt, fault);
        attempt([&] { static_cast<void>(provider.perform(request)); });
        attempt([&] {
            for (const auto& event : provider.open(request)) static_cast<void>(event);
        });
    }
    attempt([&] { static_cast<void>(provider.health_check()); });
    attempt([&] { static_cast<void>(provider.models()); });
}

void nothing_that_is_said_holds_a_secret() {
    gigachat::set_log_callback(GIGACHAT_LOG_TRACE,
                               [](gigachat_log_level, std::string_view target, std::string_view message) {
                                   say(target);
                                   say(message);
                                   const std::lock_guard<std::mutex> held(lock);
                                   ++records;
                               });
    ask_everything(gigachat::Provider{marked()});

    gigachat::Config proxied = marked();
    proxied.set_proxy("http://" + std::string(password) + ":" + std::string(password) + "@127.0.0.1:1");
    ask_everything(gigachat::Provider{proxied});

    gigachat::Config without_token = marked();
    without_token.set_token_url("https://127.0.0.1:1/oauth");
    ask_everything(gigachat::Provider{without_token});

    attempt([] { gigachat::Provider{gigachat::Config().set_authorization_key("not a key: " + std::string(password))}; });
    attempt([] { gigachat::Provider{gigachat::Config().set("extra_headers", "x-a: " + std::string(header) + "\x01")}; });
    gigachat::shutdown(bound);
    gigachat::clear_log_callback();

    CHECK(records > 30);
    CHECK(failures > 40);
    const char* key = std::getenv("GIGACHAT_CREDENTIALS");
    CHECK(key != nullptr && std::string(key).size() > 8);
    for (const std::string_view secret : {password, header, prompt, std::string_view(key)})
        CHECK(said.find(secret) == std::string::npos);
    // Tokens are known to tests/c/secrets.c, which reads them from the emulator; a header would show here.
    CHECK(said.find("Bearer ") == std::string::npos);
    CHECK(said.find("Basic ") == std::string::npos);
}

}  // namespace

int main() {
    return run_all({{"nothing_that_is_said_holds_a_secret", nothing_that_is_said_holds_a_secret}});
}
