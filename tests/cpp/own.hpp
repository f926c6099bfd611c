// What the tests of routers and own providers share: providers that answer, fail or keep still,
// and a router that asks its members in their order.

#pragma once

#include "check.hpp"

/// Answers everything with one text.
inline gigachat::Provider saying(const std::string& text) {
    return gigachat::OwnProvider("saying")
        .set_generate([text](std::string_view, gigachat::Reply reply) { reply.finish(text); })
        .set_stream([text](std::string_view, gigachat::Reply reply) { reply.finish(text); })
        .build();
}

/// Fails everything with one status.
inline gigachat::Provider failing(gigachat_status status) {
    return gigachat::OwnProvider("failing")
        .set_generate([status](std::string_view, gigachat::Reply reply) { reply.fail(status, "no"); })
        .build();
}

/// Hands out the replies that it gets, unanswered.
struct Silent {
    std::promise<gigachat::Reply> asked;
    gigachat::Provider provider = gigachat::OwnProvider("silent")
                                      .set_generate([this](std::string_view, gigachat::Reply reply) {
                                          asked.set_value(std::move(reply));
                                      })
                                      .build();

    gigachat::Reply reply() {
        auto reply = asked.get_future();
        SOON(reply);
        return reply.get();
    }
};

inline gigachat::Router first_available() {
    return gigachat::Router{gigachat::RouterOptions().set("strategy", "first-available").set("name", "outer")};
}

inline std::string all_text(gigachat::Stream stream) {
    std::string text;
    for (const gigachat::Event& event : stream) text += event.is_text() ? event.text() : "";
    return text;
}
