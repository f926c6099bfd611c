// Asks several questions at once: two answers come as futures, a third call is cancelled, the last
// tells a callback when it is done.
//
// Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.cpp.

#include <gigachat.hpp>

#include <future>
#include <iostream>

int main() {
    try {
        const auto provider = gigachat::Provider::from_env();

        std::future<gigachat::Response> first = provider.generate_async("What is C++?");
        std::future<gigachat::Response> second = provider.generate_async("What is a thread?");

        const gigachat::Call unwanted = provider.generate_start("Write 5000 tokens");
        std::future<gigachat::Response> third = unwanted.future();
        unwanted.cancel();

        std::promise<void> told;
        const gigachat::Call fourth = provider.generate_start("What is a callback?");
        fourth.on_done([&told](gigachat::CallRef call, gigachat_status status) {
            // On a thread of the library; everything but shutdown is allowed here.
            if (status == GIGACHAT_OK) std::cout << "4: " << call.take()->text() << '\n';
            told.set_value();
        });
        told.get_future().wait();

        std::cout << "1: " << first.get().text() << '\n';
        std::cout << "2: " << second.get().text() << '\n';
        try {
            third.get();
            std::cout << "3: answered before it could be cancelled\n";
        } catch (const gigachat::CancelledError&) {
            std::cout << "3: cancelled\n";
        }
    } catch (const gigachat::Error& error) {
        std::cerr << gigachat::status_name(error.status()) << ": " << error.what() << '\n';
        return 1;
    }
}
