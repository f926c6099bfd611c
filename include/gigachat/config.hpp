// A provider's options.

#ifndef GIGACHAT_HPP_CONFIG
#define GIGACHAT_HPP_CONFIG

#include <gigachat.h>

#include "handle.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigachat {

/// A provider's options. Setters can be chained; Provider(config) throws the first that was refused.
class Config : public detail::Builder<Config, gigachat_config, &gigachat_config_free> {
public:
    /// The defaults.
    Config() : Builder(detail::make<gigachat_config>(&gigachat_config_new)) {}
    /// From the GIGACHAT_* variables.
    static Config from_env() { return adopt(detail::make<gigachat_config>(&gigachat_config_from_env)); }

    /// Any option by its name (docs/configuration.md): text, a number, a truth value, or a time.
    template <typename Value>
    Config& set(std::string_view name, const Value& value) {
        const std::string text = detail::as_text(value);
        return Builder::set(&gigachat_config_set, name, std::string_view(text));
    }

    Config& set_authorization_key(std::string_view key) {
        return Builder::set(&gigachat_config_set_authorization_key, key);
    }
    Config& set_user(std::string_view user, std::string_view password) {
        return Builder::set(&gigachat_config_set_user, user, password);
    }
    Config& set_scope(std::string_view scope) { return Builder::set(&gigachat_config_set_scope, scope); }
    Config& set_model(std::string_view model) { return Builder::set(&gigachat_config_set_model, model); }
    Config& set_base_url(std::string_view url) { return Builder::set(&gigachat_config_set_base_url, url); }
    Config& set_token_url(std::string_view url) { return Builder::set(&gigachat_config_set_token_url, url); }
    Config& set_ca_bundle_file(std::string_view path) {
        return Builder::set(&gigachat_config_set_ca_bundle_file, path);
    }
    /// Off lets anyone on the network read the authorization key.
    Config& set_verify_tls(bool verify) { return Builder::set(&gigachat_config_set_verify_tls, verify); }
    Config& set_proxy(std::string_view url) { return Builder::set(&gigachat_config_set_proxy, url); }
    Config& set_timeout(std::chrono::milliseconds time) {
        return Builder::set(&gigachat_config_set_timeout_ms, time);
    }
    Config& set_max_retries(std::uint32_t retries) {
        return Builder::set(&gigachat_config_set_max_retries, retries);
    }
    Config& set_max_concurrency(std::uint32_t limit) {
        return Builder::set(&gigachat_config_set_max_concurrency, limit);
    }

private:
    friend Owner;
    explicit Config(Adopted adopted) noexcept : Builder(adopted.handle) {}
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_CONFIG
