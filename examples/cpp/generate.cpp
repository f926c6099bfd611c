// Asks one question and prints the answer, in the blocking way.
//
// Reads GIGACHAT_CREDENTIALS and its kin from the environment: `make demo` sets them for the
// emulator; with your own authorization key the same program talks to the service.

#include <gigachat.hpp>

#include <iostream>

int main(int argc, char** argv) {
    try {
        const auto provider = gigachat::Provider::from_env();
        gigachat::Params params;
        params.set_temperature(0.7).set_max_tokens(500);

        const gigachat::Response answer = provider.generate(argc > 1 ? argv[1] : "What is C++?", params);
        std::cout << answer.text() << "\n[" << answer.model() << ", " << answer.total_tokens().value_or(0)
                  << " tokens, finish reason " << answer.finish_reason() << "]\n";
    } catch (const gigachat::RateLimitError& error) {
        std::cerr << "too many requests, wait "
                  << error.retry_after().value_or(std::chrono::seconds(1)).count() << " ms\n";
        return 1;
    } catch (const gigachat::Error& error) {
        std::cerr << gigachat::status_name(error.status()) << ": " << error.what() << '\n';
        return 1;
    }
}
