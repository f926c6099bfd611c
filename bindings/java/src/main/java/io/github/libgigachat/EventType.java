// Made from api/gigachat.json by generate.py. Do not edit.
package io.github.libgigachat;

/** What an event of a stream is. Newer kinds may come: they are UNKNOWN. */
public enum EventType {
    /** A piece of the answer's text: gigachat_event_text. */
    TEXT(1),
    /** The function to call, whole: gigachat_event_name, gigachat_event_text (arguments). */
    FUNCTION_CALL(2),
    /** A built-in function is at work: gigachat_event_name, gigachat_event_text (what the service says of it, the seconds left). Not part of the answer's text. */
    PROGRESS(3),
    /** Token usage, once, near the end: gigachat_event_prompt_tokens and its kin. */
    USAGE(4),
    /** A piece of what the model thinks before it answers: gigachat_event_text. Not part of the answer's text. */
    REASONING(5),
    /** A file that the service made (chat v2): gigachat_event_text (its id), gigachat_event_name ("image", "audio", "3dmodel" or a newer kind). */
    FILE(6),
    /** A kind that this version does not know. */
    UNKNOWN(-1);

    private final int number;

    EventType(int number) {
        this.number = number;
    }

    static EventType of(int number) {
        for (EventType type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        return UNKNOWN;
    }
}
