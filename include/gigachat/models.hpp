// The models that an account can use.

#ifndef GIGACHAT_HPP_MODELS
#define GIGACHAT_HPP_MODELS

#include <gigachat.h>

#include "handle.hpp"
#include "text.hpp"

#include <cstddef>
#include <iterator>
#include <string_view>

namespace gigachat {

/// One model of a list, valid as long as the list.
class Model {
public:
    Model(const gigachat_models* models, std::size_t index) noexcept : models_(models), index_(index) {}
    /// The name that requests use.
    std::string_view id() const { return text(&gigachat_models_id); }
    /// Who provides the model.
    std::string_view owned_by() const { return text(&gigachat_models_owned_by); }
    /// What the model is for ("chat", "embedder", ...); empty when the service does not say.
    std::string_view type() const { return text(&gigachat_models_type); }
    /// The model's JSON as it came.
    std::string_view json() const { return text(&gigachat_models_json); }

private:
    std::string_view text(const char* (*accessor)(const gigachat_models*, std::size_t, std::size_t*)) const {
        std::size_t length = 0;
        const char* start = accessor(models_, index_, &length);
        return start ? std::string_view(start, length) : std::string_view();
    }

    const gigachat_models* models_;
    std::size_t index_;
};

/// A list of models: `for (gigachat::Model model : provider.models())`.
class Models : public detail::Owner<Models, gigachat_models, &gigachat_models_free> {
public:
    /// Goes over the list.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Model;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = Model;

        Iterator(const gigachat_models* models, std::size_t index) noexcept : models_(models), index_(index) {}
        Model operator*() const noexcept { return Model(models_, index_); }
        Iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++index_;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }
        friend bool operator!=(const Iterator& a, const Iterator& b) noexcept { return a.index_ != b.index_; }

    private:
        const gigachat_models* models_;
        std::size_t index_;
    };

    /// An empty list, to be assigned to.
    Models() noexcept : Owner(nullptr) {}

    std::size_t size() const { return gigachat_models_count(get()); }
    bool empty() const { return size() == 0; }
    /// The model at `index`; beyond the list its texts are empty.
    Model operator[](std::size_t index) const noexcept { return Model(get(), index); }
    Iterator begin() const noexcept { return Iterator(get(), 0); }
    Iterator end() const { return Iterator(get(), size()); }

private:
    friend Owner;
    explicit Models(Adopted adopted) noexcept : Owner(adopted.handle) {}
};

}  // namespace gigachat

#endif  // GIGACHAT_HPP_MODELS
