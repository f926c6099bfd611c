// Lets the model call a function of the program's, and prints what it makes of the result.
//
// The same in either of the service's chats: GIGACHAT_API_VERSION is 1 or 2.

#include <gigachat.hpp>

#include <iostream>
#include <string>
#include <string_view>

int main() {
    try {
        const gigachat::Provider provider{gigachat::Config::from_env()};
        gigachat::Request request;
        request.add_message("user", "What is the weather in Omsk?")
            .add_function(R"({"name": "weather", "description": "The weather in a city", "parameters": {"type": "object",
                "properties": {"city": {"type": "string"}}, "required": ["city"]}})");
        const auto weather = [](std::string_view arguments) {
            std::cout << "[weather " << arguments << "]\n";
            return std::string(R"({"degrees": -9})");
        };
        std::cout << provider.run(std::move(request), {{"weather", weather}}).text() << '\n';
    } catch (const gigachat::Error& error) {
        std::cerr << gigachat::status_name(error.status()) << ": " << error.what() << '\n';
        return 1;
    }
}
