// Routers: what their classes add to the C interface. How members are chosen is tested in Rust.

#include "own.hpp"

#include <stdexcept>
#include <type_traits>

namespace {

template <typename... Classes>
constexpr bool move_only = ((std::is_move_constructible_v<Classes> && std::is_move_assignable_v<Classes> &&
                             !std::is_copy_constructible_v<Classes> && !std::is_copy_assignable_v<Classes>)&&...);
static_assert(move_only<gigachat::RouterOptions, gigachat::Router>);
static_assert(std::is_nothrow_move_constructible_v<gigachat::Router>);
static_assert(!std::is_convertible_v<gigachat_provider*, gigachat::Router>);

void a_router_falls_over_to_the_next_member() {
    gigachat::Router router = first_available();
    router.add(failing(GIGACHAT_ERROR_RATE_LIMIT));
    router.add(provider());
    CHECK(router.generate("repeat: routed").text() == "routed");
}

void a_router_asks_nobody_else_when_the_request_is_at_fault() {
    gigachat::Router router = first_available();
    router.add(failing(GIGACHAT_ERROR_INVALID_REQUEST));
    router.add(saying("never"));
    CHECK(std::string(THROWN(InvalidRequestError, router.generate("Hello")).what()).find("no") != std::string::npos);
}

void a_router_is_asked_in_every_way() {
    gigachat::Router router;
    router.add(provider());
    gigachat::Request request;
    request.add_message("user", "repeat: asked");
    CHECK(router.perform(request).text() == "asked");
    CHECK(all_text(router.open(request)) == "asked");
    const gigachat::Call call = router.start(request);
    CHECK(call.wait(bound) && call.take()->text() == "asked");
    auto future = router.perform_async(request);
    SOON(future);
    CHECK(future.get().text() == "asked");
    CHECK(router.health_check() >= 0us);

    const gigachat::Provider plain = std::move(router);
    CHECK(plain.perform(request).text() == "asked");
    THROWN(NullArgumentError, router.add(plain));  // NOLINT: use after move is the test
    THROWN(NullArgumentError, router.metrics_json());
}

void routers_nest_but_not_in_a_circle() {
    gigachat::Router inner, outer;
    inner.add(saying("nested"));
    outer.add(inner);
    CHECK(outer.generate("Hello").text() == "nested");
    THROWN(ConfigurationError, inner.add(outer));
    THROWN(ConfigurationError, outer.add(outer));
}

void members_come_and_go() {
    gigachat::Router router = first_available();
    const std::uint64_t first = router.add(saying("first"), 10, "first");
    router.add(saying("second"));
    CHECK(router.generate("Hello").text() == "first");
    router.remove(first);
    CHECK(router.generate("Hello").text() == "second");
    THROWN(NotFoundError, router.remove(first));
    THROWN(ConfigurationError, router.add(saying("third"), 0));
}

void metrics_tell_of_the_members() {
    gigachat::Router router = first_available();
    router.add(provider(), 1, "service");
    router.set_price("GigaChat", 0.2, 0.4);
    THROWN(ConfigurationError, router.set_price("GigaChat", -1, 0));
    router.generate("Hello");
    const std::string json = router.metrics_json();
    CHECK(json.find(R"("router":"outer")") != std::string::npos);
    CHECK(json.find(R"("name":"service")") != std::string::npos);
    CHECK(json.find(R"("successful_requests":1)") != std::string::npos);
    CHECK(router.prometheus().find(R"(provider="service")") != std::string::npos);
}

void every_option_can_be_set() {
    gigachat::RouterOptions options;
    options.set("strategy", "best-available").set("name", "all").set("deadline", bound).set("max_cooldown_wait", 1s)
        .set("ramp", 0ms).set("cooldown", 10ms).set("longest_cooldown", 1s).set("failures_to_cool", 2)
        .set("member_retries", true).set("fallback_after_read_timeout", false);
    CHECK(gigachat::Router{options}.metrics_json().find(R"("router":"all")") != std::string::npos);
    THROWN(ConfigurationError, gigachat::Router{gigachat::RouterOptions().set("strategy", "best")});
    THROWN(ConfigurationError, gigachat::Router{gigachat::RouterOptions().set("deadline", 0ms)});
    const gigachat::RouterOptions moved = std::move(options);
    THROWN(NullArgumentError, gigachat::Router{options});  // NOLINT: use after move is the test
}

void a_request_brings_a_deadline_of_its_own() {
    Silent silent;
    gigachat::Router router;
    router.add(silent.provider);
    gigachat::Request request;
    request.add_message("user", "Hello").set("deadline", 50ms);
    THROWN(TimeoutError, router.perform(request));
    CHECK(silent.reply());
    request.set("deadline", 0ms);
    THROWN(InvalidRequestError, router.perform(request));
}

void what_is_no_router_takes_no_members() {
    gigachat::Router adopted = gigachat::Router::adopt(saying("plain").release());
    CHECK(adopted.generate("Hello").text() == "plain");
    THROWN(InvalidRequestError, adopted.add(saying("member")));
    THROWN(InvalidRequestError, adopted.metrics_json());
}

void a_router_asks_the_next_member_after_an_exception() {
    gigachat::Router router = first_available();
    router.add(gigachat::OwnProvider("own")
                   .set_generate([](std::string_view, gigachat::Reply) { throw std::runtime_error("no"); })
                   .build());
    router.add(saying("spare"));
    CHECK(router.generate("Hello").text() == "spare");
    CHECK(router.metrics_json().find(R"("internal":1)") != std::string::npos);
}

void no_handle_is_left() {
    gigachat::shutdown(bound);  // the last replies are freed on a thread of the library
    CHECK(gigachat::live_handles() == 0);
}

}  // namespace

int main() {
    return run_all({
        {"a_router_falls_over_to_the_next_member", a_router_falls_over_to_the_next_member},
        {"a_router_asks_nobody_else_when_the_request_is_at_fault", a_router_asks_nobody_else_when_the_request_is_at_fault},
        {"a_router_is_asked_in_every_way", a_router_is_asked_in_every_way},
        {"routers_nest_but_not_in_a_circle", routers_nest_but_not_in_a_circle},
        {"members_come_and_go", members_come_and_go},
        {"metrics_tell_of_the_members", metrics_tell_of_the_members},
        {"every_option_can_be_set", every_option_can_be_set},
        {"a_request_brings_a_deadline_of_its_own", a_request_brings_a_deadline_of_its_own},
        {"what_is_no_router_takes_no_members", what_is_no_router_takes_no_members},
        {"a_router_asks_the_next_member_after_an_exception", a_router_asks_the_next_member_after_an_exception},
        {"no_handle_is_left", no_handle_is_left},
    });
}
