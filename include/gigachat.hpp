/*
 * gigachat.hpp: the C++17 face of libgigachat, header-only, over gigachat.h.
 *
 *     #include <gigachat.hpp>
 *     #include <iostream>
 *
 *     int main() {
 *         gigachat::Provider provider = gigachat::Provider::from_env();     // GIGACHAT_CREDENTIALS=...
 *         std::cout << provider.generate("What is C++?").text() << '\n';
 *         for (const gigachat::Event& event : provider.generate_stream("And C?"))
 *             if (event.is_text()) std::cout << event.text() << std::flush;
 *     }
 *
 * It has no logic of its own: each member calls the C function of the same name, and what that
 * function's comment says holds here: ranges, thread safety, what may be called when. This file
 * says only what C++ adds:
 *
 * Ownership. Each class owns one handle, frees it in its destructor and can be moved, not copied.
 * get() is the handle for C functions, release() gives it away, T::adopt(handle) takes it over.
 * A moved-from object is empty: its functions throw NullArgumentError, its accessors answer
 * nothing, 0 or std::nullopt.
 *
 * Texts in are std::string_view. Texts out are std::string_view too, valid as long as the object
 * that lent them; asked of a temporary they are a std::string, so that
 * `auto text = provider.generate("...").text();` is safe.
 *
 * Errors are exceptions, derived from gigachat::Error and named as the statuses:
 * GIGACHAT_ERROR_RATE_LIMIT is RateLimitError. The two waiting states are results, not exceptions.
 *
 * Callbacks may be any callable. What one throws never reaches the library: it goes to the
 * function that on_callback_exception() set, by default a line on stderr. The callables of an
 * OwnProvider are the exception: what they throw fails the request.
 *
 * RTTI is not needed; exceptions are.
 *
 * The classes are in the folder gigachat/, by subject. Each of its headers can be included alone.
 */

#ifndef GIGACHAT_HPP
#define GIGACHAT_HPP

#include <gigachat.h>

#include "gigachat/call.hpp"
#include "gigachat/callback.hpp"
#include "gigachat/config.hpp"
#include "gigachat/error.hpp"
#include "gigachat/handle.hpp"
#include "gigachat/own_provider.hpp"
#include "gigachat/process.hpp"
#include "gigachat/provider.hpp"
#include "gigachat/request.hpp"
#include "gigachat/response.hpp"
#include "gigachat/router.hpp"
#include "gigachat/stream.hpp"
#include "gigachat/text.hpp"

#endif  // GIGACHAT_HPP
