// Two members behind one router: a model of the program's own is asked first; when it has no time,
// the service answers instead.
//
// Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.cpp.

#include <gigachat.hpp>

#include <iostream>

// Begins to answer, on a thread of the library, and must return at once: a real model would take
// the reply along to a thread of its own. This one is always busy.
static void ask_own_model(std::string_view request, gigachat::Reply reply) {
    static_cast<void>(request);  // JSON, as the service would get it
    reply.fail(GIGACHAT_ERROR_RATE_LIMIT, "the model is busy", std::chrono::seconds(1));
}

int main(int argc, char** argv) {
    try {
        gigachat::Router router{gigachat::RouterOptions().set("strategy", "first-available")};
        router.add(gigachat::OwnProvider("own model").set_generate(ask_own_model).build());
        router.add(gigachat::Provider::from_env(), 1, "service");

        // A router is a provider: whatever can be asked of one can be asked of it.
        std::cout << router.generate(argc > 1 ? argv[1] : "What is C++?").text() << '\n';
        std::cout << router.metrics_json() << '\n';
    } catch (const gigachat::Error& error) {
        std::cerr << gigachat::status_name(error.status()) << ": " << error.what() << '\n';
        return 1;
    }
}
