// The C++ side of the fault matrix: reads one command a line from stdin, performs it through
// gigachat.hpp, answers with one line of JSON. test_matrix.py sets the faults up and judges.
//
// A command is a verb and `name=value` fields, separated by tabs; README.md lists them. Nothing
// is decided here, so that the same table judges every language.
#include <gigachat.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::chrono::milliseconds;
using Fields = std::vector<std::string>;

[[noreturn]] void give_up(std::string_view why) {
    std::cerr << "driver.cpp: " << why << '\n';
    std::exit(70);
}

/// The answer line, member by member.
class Line {
public:
    Line& number(std::string_view name, long long value) {
        begin(name) << value;
        return *this;
    }
    Line& text(std::string_view name, std::optional<std::string_view> value) {
        begin(name);
        if (!value) {
            out_ << "null";
            return *this;
        }
        out_ << '"';
        for (const char character : *value) {
            const auto byte = static_cast<unsigned char>(character);
            if (byte == '"' || byte == '\\') {
                out_ << '\\' << character;
            } else if (byte < 0x20) {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", byte);
                out_ << escape;
            } else {
                out_ << character;
            }
        }
        out_ << '"';
        return *this;
    }
    Line& error(const gigachat::Error& error, std::optional<std::string_view> delivered) {
        const std::optional<milliseconds> wait = error.retry_after();
        return text("result", "error")
            .text("status", gigachat::status_name(error.status()))
            .text("kind", error.kind())
            .text("phase", error.phase())
            .text("message", error.what())
            .number("http", error.http_status())
            .number("code", error.service_code())
            .number("retry_after_ms", wait ? wait->count() : -1)
            .number("retryable", error.retryable())
            .number("attempts", error.attempts())
            .number("request_id", !error.request_id().empty())
            .text("text", delivered)
            .text("partial", error.partial_text());
    }
    void end() { std::cout << out_.str() << '}' << std::endl; }

private:
    std::ostream& begin(std::string_view name) {
        return out_ << (out_.tellp() == 0 ? "{" : ", ") << '"' << name << "\": ";
    }
    std::ostringstream out_;
};

// Times come in milliseconds, as `timeout_ms`, and truth values as 0 and 1.
void set_option(gigachat::Config& config, const std::string& name, const std::string& value) {
    if (name.size() > 3 && name.compare(name.size() - 3, 3, "_ms") == 0) {
        config.set(name.substr(0, name.size() - 3), milliseconds(std::stoll(value)));
    } else {
        config.set(name, value);
    }
}

std::optional<gigachat::Provider> provider;

void open(const Fields& fields) {
    gigachat::Config config;
    config.set("proxy_from_environment", false);
    for (std::size_t field = 1; field < fields.size(); ++field) {
        const std::size_t equals = fields[field].find('=');
        if (equals == std::string::npos) give_up("a field without a value");
        set_option(config, fields[field].substr(0, equals), fields[field].substr(equals + 1));
    }
    provider.emplace(config);
    Line().text("result", "ok").end();
}

void call(const std::string& prompt) {
    Line line;
    try {
        const gigachat::Response response = provider->generate(prompt);
        line.text("result", "ok")
            .text("text", response.text())
            .number("attempts", response.attempts())
            .number("request_id", !response.request_id().empty());
    } catch (const gigachat::Error& error) {
        line.error(error, std::nullopt);
    }
    line.number("held", provider->permits().held).end();
}

void stream(const std::string& prompt) {
    Line line;
    std::string delivered;
    try {
        gigachat::Stream stream = provider->generate_stream(prompt);
        for (const gigachat::Event& event : stream) {
            if (event.is_text()) delivered += event.text();
        }
        const gigachat::Response response = stream.response().value();
        line.text("result", "ok")
            .text("text", delivered)
            .number("attempts", response.attempts())
            .number("request_id", !response.request_id().empty());
    } catch (const gigachat::Error& error) {
        line.error(error, delivered);
    }
    line.number("held", provider->permits().held).end();
}

long long ms_since(std::chrono::steady_clock::time_point begun) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun).count();
}

/// Cancelled from outside after so long, unless it has ended by then.
void cancel_call(milliseconds after, const std::string& prompt) {
    Line line;
    auto begun = std::chrono::steady_clock::now();
    try {
        const gigachat::Call call = provider->generate_start(prompt);
        call.wait(after);
        begun = std::chrono::steady_clock::now();
        call.cancel();
        call.wait();
        const gigachat::Response response = call.take().value();
        line.text("result", "ok").text("text", response.text());
    } catch (const gigachat::Error& error) {
        line.error(error, std::nullopt);
    }
    line.number("cancelled_within_ms", ms_since(begun)).number("held", provider->permits().held).end();
}

void cancel_stream(milliseconds after, const std::string& prompt) {
    Line line;
    std::string delivered;
    auto begun = std::chrono::steady_clock::now();
    try {
        gigachat::Stream stream = provider->generate_stream(prompt);
        const auto until = begun + after;
        gigachat::Event event;
        std::optional<milliseconds> patience;
        for (bool cancelled = false;;) {
            const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
            patience = cancelled ? std::nullopt : std::optional(std::max(left, milliseconds(0)));
            const gigachat::Reading reading = stream.read(event, patience);
            if (reading == gigachat::Reading::end) break;
            if (reading == gigachat::Reading::not_yet) {
                begun = std::chrono::steady_clock::now();
                stream.cancel();
                cancelled = true;
            } else if (event.is_text()) {
                delivered += event.text();
            }
        }
        line.text("result", "ok");
    } catch (const gigachat::Error& error) {
        line.error(error, delivered);
    }
    line.number("cancelled_within_ms", ms_since(begun)).number("held", provider->permits().held).end();
}

void health() {
    Line line;
    try {
        provider->health_check();
        line.text("result", "ok");
    } catch (const gigachat::Error& error) {
        line.error(error, std::nullopt);
    }
    line.number("held", provider->permits().held).end();
}

/// So many calls at once; how many were answered, and the kind of the first that was not.
void many(int count, const std::string& prompt) {
    std::vector<std::future<gigachat::Response>> answers;
    for (int number = 0; number < count; ++number) answers.push_back(provider->generate_async(prompt));
    int answered = 0;
    std::string kind;
    for (std::future<gigachat::Response>& answer : answers) {
        try {
            answer.get();
            ++answered;
        } catch (const gigachat::Error& error) {
            if (kind.empty()) kind = error.kind();
        }
    }
    Line()
        .text("result", kind.empty() ? "ok" : "error")
        .text("kind", kind)
        .number("answered", answered)
        .number("held", provider->permits().held)
        .end();
}

void close() {
    provider.reset();
    Line().text("result", "ok").number("live", static_cast<long long>(gigachat_live_handles())).end();
}

void obey(const Fields& fields) {
    const std::string& verb = fields.at(0);
    if (verb == "open") {
        open(fields);
    } else if (verb == "call" && fields.size() == 2) {
        call(fields[1]);
    } else if (verb == "stream" && fields.size() == 2) {
        stream(fields[1]);
    } else if (verb == "cancel_call" && fields.size() == 3) {
        cancel_call(milliseconds(std::stoi(fields[1])), fields[2]);
    } else if (verb == "cancel_stream" && fields.size() == 3) {
        cancel_stream(milliseconds(std::stoi(fields[1])), fields[2]);
    } else if (verb == "health") {
        health();
    } else if (verb == "many" && fields.size() == 3) {
        many(std::stoi(fields[1]), fields[2]);
    } else if (verb == "close") {
        close();
    } else {
        give_up("a command that nobody knows: " + verb);
    }
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        Fields fields;
        std::istringstream parts(line);
        for (std::string field; std::getline(parts, field, '\t');) fields.push_back(field);
        obey(fields);
    }
    return gigachat_shutdown(10000, nullptr) == GIGACHAT_OK ? 0 : 1;
}
