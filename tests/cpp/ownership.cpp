// Who owns what: moves, handles given away and taken over, texts that outlive temporaries, and
// that every setter and accessor reaches the library.

#include "check.hpp"

#include <algorithm>
#include <atomic>
#include <tuple>
#include <type_traits>

namespace {

template <typename... Classes>
constexpr bool move_only = ((std::is_nothrow_move_constructible_v<Classes> &&
                             std::is_nothrow_move_assignable_v<Classes> &&
                             !std::is_copy_constructible_v<Classes> && !std::is_copy_assignable_v<Classes>)&&...);
static_assert(move_only<gigachat::Config, gigachat::Params, gigachat::Request, gigachat::CancelToken,
                        gigachat::Provider, gigachat::Response, gigachat::Event,
                        gigachat::Stream, gigachat::Call, gigachat::Queue>);
static_assert(std::is_nothrow_copy_constructible_v<gigachat::Error>);
static_assert(!std::is_convertible_v<gigachat_provider*, gigachat::Provider>);

void what_was_moved_from_is_empty_and_harmless() {
    gigachat::Config config = gigachat::Config::from_env();
    gigachat::Provider asked{config};
    gigachat::Response answer = asked.generate("Hello");
    gigachat::Request request;
    gigachat::Params params;
    gigachat::Stream stream = asked.generate_stream("Hello");
    gigachat::Call call = asked.generate_start("Hello");
    gigachat::Queue queue;

    const auto taken = std::make_tuple(std::move(config), std::move(answer), std::move(request), std::move(params),
                                       std::move(stream), std::move(call), std::move(queue));
    // NOLINTBEGIN: use after move is the test
    CHECK(!answer && answer.text().empty() && !answer.total_tokens() && !answer.function_name());
    CHECK(answer.attempts() == 0 && answer.total_time() == 0us);
    CHECK(!answer.text_at("") && !answer.count_at("") && answer.body().empty());
    THROWN(NullArgumentError, config.set_model("GigaChat"));
    THROWN(NullArgumentError, gigachat::Provider{config});
    THROWN(NullArgumentError, request.add_message("user", "Hello"));
    THROWN(NullArgumentError, asked.perform(request));
    THROWN(NullArgumentError, params.set("top_p", 0.5));
    THROWN(NullArgumentError, asked.generate("Hello", params));
    THROWN(NullArgumentError, stream.next());
    THROWN(NullArgumentError, stream.cancel());
    THROWN(NullArgumentError, stream.response());
    THROWN(NullArgumentError, call.wait());
    THROWN(NullArgumentError, call.future());
    THROWN(NullArgumentError, queue.descriptor());
    // NOLINTEND
}

void a_moved_to_object_frees_what_it_had() {
    gigachat::Params first, second;
    const auto handles = gigachat::live_handles();
    first = std::move(second);
    CHECK(gigachat::live_handles() == handles - 1);
    first.set("top_p", 0.5);
}

void a_handle_can_be_given_away_and_taken_over() {
    gigachat::Params params;
    gigachat_params* raw = params.release();
    CHECK(!params);
    CHECK(gigachat_params_set(raw, "top_p", GIGACHAT_ZT, "0.5", GIGACHAT_ZT) == GIGACHAT_OK);
    const gigachat::Params again = gigachat::Params::adopt(raw);
    CHECK(again.get() == raw);
}

void a_text_of_a_temporary_is_a_copy() {
    const auto text = provider().generate("repeat: kept").text();
    static_assert(std::is_same_v<decltype(text), const std::string>);
    CHECK(text == "kept");
    const gigachat::Response answer = provider().generate("repeat: lent");
    static_assert(std::is_same_v<decltype(answer.text()), std::string_view>);
    CHECK(answer.text() == "lent");
    CHECK(answer.text().data()[answer.text().size()] == '\0');
}

void a_response_tells_all() {
    gigachat::Request request;
    gigachat::Params params;
    params.set_temperature(0).set_max_tokens(100).set("top_p", 0.5).set("repetition_penalty", 1.1).set("stop", "never");
    request.add_message("system", "Be brief.")
        .add_message_json(R"({"role": "user", "content": "repeat: all"})")
        .set_params(params)
        .set("model", "GigaChat-2")
        .set_field("profanity_check", "true")
        .set("timeout", bound)
        .set("deadline", bound)
        .set("queue_timeout", bound)
        .set("idle_timeout", bound)
        .set("stream_timeout", bound)
        .set_header("X-Anything", "goes")
        .set("request_id", "11111111-2222-3333-4444-555555555555")
        .set("session_id", "aaaaaaaa-2222-3333-4444-555555555555")
        .set("client_id", "me");
    const gigachat::Response answer = stranger().perform(request);
    CHECK(answer.text() == "all" && answer.finish_reason() == "stop");
    CHECK(answer.model().find("GigaChat-2") == 0);
    CHECK(answer.body().front() == '{' && answer.content_type().find("application/json") == 0);
    CHECK(*answer.total_tokens() == *answer.prompt_tokens() + *answer.completion_tokens());
    CHECK(answer.precached_prompt_tokens());
    CHECK(!answer.request_id().empty() && answer.session_id());
    CHECK(!answer.function_name() && !answer.function_arguments());
    CHECK(answer.attempts() == 1 && answer.total_time() >= answer.first_byte_time());
    CHECK(answer.first_content_time() > 0us && answer.queue_time() >= 0us && answer.token_time() > 0us);
}

void a_function_call_can_be_answered() {
    gigachat::Request request;
    request.add_message("user", "What is the weather?")
        .add_function(R"({"name": "weather", "parameters": {"type": "object", "properties": {}}})");
    const gigachat::Provider asked = provider();
    const gigachat::Response call = asked.perform(request);
    CHECK(call.function_name() == "weather" && call.function_arguments() == "{}" && call.functions_state_id());
    request
        .add_message_json(R"({"role": "assistant", "content": "", "function_call": {"name": "weather", "arguments": {}}})")
        .add_function_result("weather", R"({"sky": "blue"})")
        .add_message("user", "just answer me");
    CHECK(!asked.perform(request).text().empty());
}

void a_run_calls_the_programs_functions_in_either_chat() {
    for (const char* version : {"1", "2"}) {
        gigachat::Request request;
        request.add_message("user", "What is the weather?")
            .add_function(R"({"name": "weather", "parameters": {"type": "object", "properties": {}}})")
            .set("api_version", version);
        const gigachat::Provider asked = provider();
        const gigachat::Response called = asked.perform(request);
        CHECK(called.calls().size() == 1 && called.calls()[0].name == "weather");
        int times = 0;
        const gigachat::Functions functions = {{"weather", [&times](std::string_view arguments) {
            ++times;
            return "{\"sky\": " + std::string(arguments) + "}";
        }}};
        const gigachat::Response said = asked.run(std::move(request), functions);
        CHECK(times == 1 && said.text().find("sky") != std::string_view::npos && said.calls().empty());
    }
}

void every_option_can_be_set() {
    gigachat::Config config;
    config.set("name", "test").set_authorization_key("a2V5OnNlY3JldA==").set_scope("GIGACHAT_API_CORP")
        .set_model("GigaChat-2-Max").set_base_url("https://localhost/v1").set_token_url("https://localhost/oauth")
        .set_timeout(1s).set("connect_timeout", 1s).set("idle_timeout", 1500ms).set_max_retries(1)
        .set("retry_broken_connections", false).set_max_concurrency(3).set_verify_tls(true)
        .set("private_key_password", "secret").set("russian_root_hosts", "example.org")
        .set_proxy("http://localhost:1").set("extra_headers", "X-Extra: 1").set("max_body_bytes", 4096)
        .set("access_token", "token").set_user("user", "password");
    CHECK(gigachat::Provider{config}.permits().held == 0);
    // Files are read when the provider first connects.
    config.set_ca_bundle_file("/nowhere/ca.pem").set("certificate_file", "/nowhere/c.pem").set("private_key_file", "/nowhere/k.pem");
    THROWN(ConfigurationError, gigachat::Provider{config}.health_check());
}

void the_first_refusal_is_thrown_by_what_uses_the_object() {
    gigachat::Config config = gigachat::Config::from_env();
    config.set("ca_bundle_pem", "no certificate").set_timeout(-1ms).set_timeout(1s);
    const auto error = THROWN(ConfigurationError, gigachat::Provider{config});
    CHECK(std::string(error.what()).find("ca_bundle_pem") == 0);
    gigachat::Params params;
    params.set("timeot", 1s);
    const auto typo = THROWN(InvalidRequestError, provider().generate("Hello", params));
    CHECK(std::string(typo.what()).find("did you mean timeout?") != std::string::npos);
}

void permits_are_told() {
    const gigachat::Provider asked = provider();
    gigachat::Stream stream = asked.open(faulty("count to 9", R"({"type": "stall_after", "chunks": 1})"));
    CHECK(stream.next());
    const gigachat::Permits permits = asked.permits();
    CHECK(permits.limit == 1 && permits.held == 1 && permits.by_streams == 1 && permits.waiting == 0);
}

void answers_of_every_operation_are_read_by_json_pointer() {
    const gigachat::Provider asked = provider();
    const gigachat::Response models = asked.models();
    CHECK(models.count_at("/data") > 5 && models.text_at("/data/0/id") && !models.text_at("/data"));
    CHECK(models.text_at("/data/0/object") == "model" && !models.integer_at("/data/0/id"));
    CHECK(asked.model("GigaChat").text_at("/id") == "GigaChat");
    THROWN(NotFoundError, asked.model("Nobody"));
    CHECK(asked.balance().number_at("/balance/0/value") > 0);
    CHECK(asked.get("/balance").body() == asked.balance().body());
    CHECK(asked.post("/tokens/count", R"({"model": "GigaChat", "input": ["a b"]})").integer_at("/0/tokens") > 0);
    CHECK((asked.count_tokens({"a", "a b c d e f g h i j k l m n o p"}) > std::vector<std::int64_t>{0, 0}));
    THROWN(InvalidRequestError, gigachat::Request("ballance"));
    THROWN(InvalidRequestError, asked.get("https://elsewhere.example/"));
}

void embeddings_are_rows_of_floats() {
    const std::vector<std::string> texts = {"one", "two", "one"};
    const gigachat::Response made = provider().embed(texts);
    const gigachat::Vectors vectors = made.vectors();
    CHECK(vectors.rows == 3 && vectors.columns > 100);
    CHECK(std::equal(vectors[0], vectors[0] + vectors.columns, vectors[2]));
    CHECK(!std::equal(vectors[0], vectors[0] + vectors.columns, vectors[1]));
    CHECK(made.prompt_tokens() > 0 && made.body().empty() && made.text().empty());
    CHECK(provider().embed({"one"}).model().size() > 0);
    CHECK(provider().generate("Hello").text().size() > 0);
    const gigachat::Response text = provider().generate("Hello");
    CHECK(text.vectors().data == nullptr && text.vectors().rows == 0);
}

void the_versions_agree() {
    CHECK(gigachat::version_number() == GIGACHAT_VERSION_NUMBER);
    CHECK(gigachat::version().find("0.1.") == 0);
    CHECK(gigachat::abi_version() == 0);
    CHECK(gigachat::status_name(GIGACHAT_OK) == "GIGACHAT_OK");
}

std::atomic<int> threads_started{0};

void the_process_can_be_set_up_before_the_first_call() {
    gigachat::set_io_threads(1);
    gigachat::set_callback_stack_size(256 * 1024);
    gigachat::set_thread_hooks([](void* count) { ++*static_cast<std::atomic<int>*>(count); }, nullptr, &threads_started);
    CHECK(provider().generate("repeat: set up").text() == "set up");
    gigachat::shutdown(bound);
    CHECK(threads_started > 0);
}

void no_handle_is_left() { CHECK(gigachat::live_handles() == 0); }

}  // namespace

int main() {
    const int failed = run_all({
        {"the_process_can_be_set_up_before_the_first_call", the_process_can_be_set_up_before_the_first_call},
        {"what_was_moved_from_is_empty_and_harmless", what_was_moved_from_is_empty_and_harmless},
        {"a_moved_to_object_frees_what_it_had", a_moved_to_object_frees_what_it_had},
        {"a_handle_can_be_given_away_and_taken_over", a_handle_can_be_given_away_and_taken_over},
        {"a_text_of_a_temporary_is_a_copy", a_text_of_a_temporary_is_a_copy},
        {"a_response_tells_all", a_response_tells_all},
        {"a_function_call_can_be_answered", a_function_call_can_be_answered},
        {"a_run_calls_the_programs_functions_in_either_chat", a_run_calls_the_programs_functions_in_either_chat},
        {"every_option_can_be_set", every_option_can_be_set},
        {"the_first_refusal_is_thrown_by_what_uses_the_object", the_first_refusal_is_thrown_by_what_uses_the_object},
        {"permits_are_told", permits_are_told},
        {"answers_of_every_operation_are_read_by_json_pointer", answers_of_every_operation_are_read_by_json_pointer},
        {"embeddings_are_rows_of_floats", embeddings_are_rows_of_floats},
        {"the_versions_agree", the_versions_agree},
        {"no_handle_is_left", no_handle_is_left},
    });
    gigachat::shutdown(bound);
    return failed;
}
