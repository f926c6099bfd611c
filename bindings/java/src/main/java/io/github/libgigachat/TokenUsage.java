package io.github.libgigachat;

import static io.github.libgigachat.Library.unexpected;

import java.lang.invoke.MethodHandle;

/**
 * How many tokens an answer took.
 *
 * @param prompt those of the question
 * @param completion those of the answer
 * @param total both
 * @param precachedPrompt those of the question that the service took from its cache, unbilled; -1 when unsaid
 */
public record TokenUsage(long prompt, long completion, long total, long precachedPrompt) {
    /** What a response or an event tells; null when it tells nothing. */
    static TokenUsage of(
        long handle, MethodHandle prompt, MethodHandle completion, MethodHandle total, MethodHandle precached) {
        try {
            long all = (long) total.invokeExact(handle);
            return all < 0 ? null : new TokenUsage((long) prompt.invokeExact(handle),
                (long) completion.invokeExact(handle), all, (long) precached.invokeExact(handle));
        } catch (Throwable why) {
            throw unexpected(why);
        }
    }
}
