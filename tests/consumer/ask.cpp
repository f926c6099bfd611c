// A C++ program of somebody who installed the library: asks once, prints the answer.

#include <gigachat.hpp>

#include <iostream>

int main() {
    try {
        const gigachat::Provider provider{gigachat::Config::from_env()};
        std::cout << provider.generate("repeat: hello from C++").text() << '\n';
    } catch (const gigachat::Error& error) {
        std::cout << error.what() << '\n';
        return 1;
    }
}
