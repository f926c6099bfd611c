// Several providers behind one: routers and their settings.

#ifndef GIGACHAT_HPP_ROUTER
#define GIGACHAT_HPP_ROUTER

#include <gigachat.h>

#include "handle.hpp"
#include "provider.hpp"
#include "text.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gigachat {

/// The settings of a router. Setters can be chained; Router(options) throws the first that was
/// refused.
class RouterOptions
    : public detail::Builder<RouterOptions, gigachat_router_options, &gigachat_router_options_free> {
public:
    /// The defaults.
    RouterOptions() : Builder(detail::make<gigachat_router_options>(&gigachat_router_options_new)) {}

    /// Any setting by its name (docs/configuration.md): text, a number, a truth value, or a time.
    template <typename Value>
    RouterOptions& set(std::string_view name, const Value& value) {
        const std::string text = detail::as_text(value);
        return Builder::set(&gigachat_router_options_set, name, std::string_view(text));
    }

private:
    friend Owner;
    explicit RouterOptions(Adopted adopted) noexcept : Builder(adopted.handle) {}
};

namespace detail {

/// A text that the library made.
class MadeText : public Owner<MadeText, gigachat_text, &gigachat_text_free> {
public:
    /// Has it made by a function of a router.
    template <typename Function>
    MadeText(Function function, const gigachat_provider* router) : Owner(make<gigachat_text>(function, router)) {}
    std::string copied() const { return copy(text(&gigachat_text_data, get())); }
};

}  // namespace detail

/// Several providers behind one. A router is a provider: ask it, make it a member of another
/// router, move it into a Provider, which loses nothing: a router is its handle. Members come and
/// go while requests run.
///
///     gigachat::Router router{gigachat::RouterOptions().set("strategy", "first-available")};
///     router.add(first);
///     router.add(second, 1, "spare");
///     router.generate("What is C++?");
class Router : public Provider {
public:
    /// A router without members.
    explicit Router(Optional<RouterOptions> options = {})
        : Provider(Adopted{detail::make<gigachat_provider>(
              &gigachat_router_new, static_cast<const gigachat_router_options*>(options.get()))}) {}
    /// Takes the handle of a router over from C.
    static Router adopt(gigachat_provider* handle) { return Router(Adopted{handle}); }

    /// Adds a member, which is shared, not taken; returns its id for remove(). Without a name it
    /// has the provider's own. The weight is how many requests it gets compared with the others.
    std::uint64_t add(const Provider& member, std::uint32_t weight = 1, std::string_view name = {}) {
        std::uint64_t id = 0;
        detail::call(&gigachat_router_add, get(), member.get(), name.data(), name.size(), weight, &id);
        return id;
    }
    /// Removes a member; what it is answering goes on.
    void remove(std::uint64_t id) { detail::call(&gigachat_router_remove, get(), id); }
    /// The price of 1000 tokens of a model, for the cost in the metrics.
    void set_price(std::string_view model, double prompt_per_1000, double completion_per_1000) {
        detail::call(&gigachat_router_set_price, get(), model.data(), model.size(), prompt_per_1000,
                     completion_per_1000);
    }

    /// What is known of the members, as JSON.
    std::string metrics_json() const { return detail::MadeText(&gigachat_router_metrics_json, get()).copied(); }
    /// The same in Prometheus' text format.
    std::string prometheus() const { return detail::MadeText(&gigachat_router_prometheus, get()).copied(); }

private:
    explicit Router(Adopted adopted) noexcept : Provider(adopted) {}
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_ROUTER
