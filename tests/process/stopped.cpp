// A program whose signal handler keeps the library's I/O thread for longer than any call may last:
// every call of the C++ face that waits ends by its own clock, at most a second later.

#include "../cpp/check.hpp"

#include <csignal>
#include <dirent.h>
#include <fstream>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr auto limit = 700ms;
/// What a busy machine may take beside the promised second.
constexpr auto promised = 2s;

extern "C" void keep_this_thread(int) {
    for (;;) pause();
}

/// SIGPROF is the host's on every thread.
int stop_the_io_threads() {
    int found = 0;
    DIR* tasks = opendir("/proc/self/task");
    while (const dirent* entry = readdir(tasks)) {
        std::string name;
        std::ifstream("/proc/self/task/" + std::string(entry->d_name) + "/comm") >> name;
        if (name != "gigachat-io") continue;
        syscall(SYS_tgkill, getpid(), std::atoi(entry->d_name), SIGPROF);
        found += 1;
    }
    closedir(tasks);
    return found;
}

gigachat::Provider hurried() {
    gigachat::Config config = gigachat::Config::from_env();
    config.set_max_retries(0).set_timeout(limit).set("health_timeout", limit);
    return gigachat::Provider{config};
}

template <typename Action>
void ends_by_its_own_clock(const Action& action) {
    const auto begun = std::chrono::steady_clock::now();
    const auto error = THROWN(TimeoutError, action());
    CHECK(std::string(error.what()).find("sign of life") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - begun < limit + promised);
}

void every_call_that_waits_ends_by_its_own_clock() {
    const gigachat::Provider asked = hurried();
    CHECK(provider().generate("repeat: before").text() == "before");
    CHECK(stop_the_io_threads() > 0);
    ends_by_its_own_clock([&] { return asked.generate("x"); });
    ends_by_its_own_clock([&] { return asked.health_check(); });
    ends_by_its_own_clock([&] { return asked.models(); });
    ends_by_its_own_clock([&] {
        for (const gigachat::Event& event : asked.generate_stream("x")) static_cast<void>(event);
        return 0;
    });
    ends_by_its_own_clock([&] {
        const gigachat::Call call = asked.generate_start("x");
        CHECK(call.wait(bound));
        return call.take();
    });
}

}  // namespace

int main() {
    alarm(100);
    std::signal(SIGPROF, keep_this_thread);
    const Case only{"every call that waits ends by its own clock", every_call_that_waits_ends_by_its_own_clock};
    return run_all(std::vector<Case>(1, only));
}
