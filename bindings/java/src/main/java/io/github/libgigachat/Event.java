package io.github.libgigachat;

/**
 * One part of a streamed answer.
 *
 * @param type what it is
 * @param text a piece of the answer, or a function call's arguments; null when there is none
 * @param name a function's name; null when there is none
 * @param usage the tokens; null but for an event of that type
 */
public record Event(EventType type, String text, String name, TokenUsage usage) {
    /** Copies an event and frees its handle. */
    static Event of(long handle) {
        try {
            EventType type = EventType.of((int) Native.event_kind.invokeExact(handle));
            TokenUsage usage = type != EventType.USAGE ? null : TokenUsage.of(handle, Native.event_prompt_tokens,
                Native.event_completion_tokens, Native.event_total_tokens, Native.event_precached_prompt_tokens);
            Event event = new Event(type, Library.text(Native.event_text, handle),
                Library.text(Native.event_name, handle), usage);
            Native.event_free.invokeExact(handle);
            return event;
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }
}
