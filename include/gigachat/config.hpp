// A provider's options.

#ifndef GIGACHAT_HPP_CONFIG
#define GIGACHAT_HPP_CONFIG

#include <gigachat.h>

#include "handle.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gigachat {

/// A provider's options. Setters can be chained; those for texts copy them.
class Config : public detail::Builder<Config, gigachat_config, &gigachat_config_free> {
public:
    /// The defaults.
    Config() : Builder(detail::make<gigachat_config>(&gigachat_config_new)) {}
    /// From the GIGACHAT_* variables.
    static Config from_env() { return adopt(detail::make<gigachat_config>(&gigachat_config_from_env)); }

    Config& set_name(std::string_view name) { return set(&gigachat_config_set_name, name); }
    Config& set_authorization_key(std::string_view key) { return set(&gigachat_config_set_authorization_key, key); }
    Config& set_scope(std::string_view scope) { return set(&gigachat_config_set_scope, scope); }
    Config& set_model(std::string_view model) { return set(&gigachat_config_set_model, model); }
    Config& set_base_url(std::string_view url) { return set(&gigachat_config_set_base_url, url); }
    Config& set_token_url(std::string_view url) { return set(&gigachat_config_set_token_url, url); }
    Config& set_access_token(std::string_view token) { return set(&gigachat_config_set_access_token, token); }
    Config& set_user(std::string_view user, std::string_view password) {
        return set(&gigachat_config_set_user, user, password);
    }

    Config& set_timeout(std::chrono::milliseconds time) { return set(&gigachat_config_set_timeout_ms, time); }
    Config& set_connect_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_connect_timeout_ms, time);
    }
    Config& set_queue_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_queue_timeout_ms, time);
    }
    Config& set_idle_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_idle_timeout_ms, time);
    }
    Config& set_stream_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_stream_timeout_ms, time);
    }
    Config& set_health_timeout(std::chrono::milliseconds time) {
        return set(&gigachat_config_set_health_timeout_ms, time);
    }
    Config& set_max_retries(std::uint32_t retries) { return set(&gigachat_config_set_max_retries, retries); }
    Config& set_retry_broken_connections(bool retry) {
        return set(&gigachat_config_set_retry_broken_connections, retry);
    }
    Config& set_wait_on_rate_limit(bool wait) { return set(&gigachat_config_set_wait_on_rate_limit, wait); }
    Config& set_shared_permits(std::string_view place) { return set(&gigachat_config_set_shared_permits, place); }
    Config& set_max_concurrency(std::uint32_t limit) { return set(&gigachat_config_set_max_concurrency, limit); }

    Config& set_verify_tls(bool verify) { return set(&gigachat_config_set_verify_tls, verify); }
    Config& set_ca_bundle_file(std::string_view path) { return set(&gigachat_config_set_ca_bundle_file, path); }
    Config& set_ca_bundle_pem(std::string_view pem) { return set(&gigachat_config_set_ca_bundle_pem, pem); }
    Config& set_certificate_file(std::string_view path) { return set(&gigachat_config_set_certificate_file, path); }
    Config& set_certificate_pem(std::string_view pem) { return set(&gigachat_config_set_certificate_pem, pem); }
    Config& set_private_key_file(std::string_view path) { return set(&gigachat_config_set_private_key_file, path); }
    Config& set_private_key_pem(std::string_view pem) { return set(&gigachat_config_set_private_key_pem, pem); }
    Config& set_private_key_password(std::string_view password) {
        return set(&gigachat_config_set_private_key_password, password);
    }
    Config& add_russian_root_host(std::string_view host) {
        return set(&gigachat_config_add_russian_root_host, host);
    }

    Config& set_proxy(std::string_view url) { return set(&gigachat_config_set_proxy, url); }
    Config& set_proxy_from_environment(bool follow) {
        return set(&gigachat_config_set_proxy_from_environment, follow);
    }
    Config& set_user_agent(std::string_view agent) { return set(&gigachat_config_set_user_agent, agent); }
    Config& set_extra_header(std::string_view name, std::string_view value) {
        return set(&gigachat_config_set_extra_header, name, value);
    }
    Config& set_allow_insecure_http(bool allow) { return set(&gigachat_config_set_allow_insecure_http, allow); }
    Config& set_max_body_bytes(std::size_t bytes) { return set(&gigachat_config_set_max_body_bytes, bytes); }
    Config& set_max_event_bytes(std::size_t bytes) { return set(&gigachat_config_set_max_event_bytes, bytes); }
    Config& set_read_ahead_bytes(std::size_t bytes) { return set(&gigachat_config_set_read_ahead_bytes, bytes); }
    Config& set_log_content(bool log) { return set(&gigachat_config_set_log_content, log); }

private:
    friend Owner;
    explicit Config(Adopted adopted) noexcept : Builder(adopted.handle) {}
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_CONFIG
