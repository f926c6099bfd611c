// Prints an answer while it is being written: a stream is a range of events.
//
// Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.cpp.

#include <gigachat.hpp>

#include <iostream>

int main(int argc, char** argv) {
    try {
        const auto provider = gigachat::Provider::from_env();
        gigachat::Stream stream = provider.generate_stream(argc > 1 ? argv[1] : "Count to 20");

        for (const gigachat::Event& event : stream) {
            if (event.is_text()) std::cout << event.text() << std::flush;
        }
        if (const auto answer = stream.response()) {
            std::cout << "\n[" << answer->total_tokens().value_or(0) << " tokens, finish reason "
                      << answer->finish_reason() << "]\n";
        }
    } catch (const gigachat::IncompleteStreamError& error) {
        std::cerr << "\nthe stream broke after " << error.partial_text().size() << " bytes: " << error.what() << '\n';
        return 1;
    } catch (const gigachat::Error& error) {
        std::cerr << '\n' << gigachat::status_name(error.status()) << ": " << error.what() << '\n';
        return 1;
    }
}
