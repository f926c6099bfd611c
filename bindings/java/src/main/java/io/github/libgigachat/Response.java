package io.github.libgigachat;

import java.lang.invoke.MethodHandle;
import java.time.Duration;

/**
 * An answer, and what is known of its call.
 *
 * @param text the answer's text; empty for a function call
 * @param finishReason stop, length, function_call, blacklist, error, or a newer one
 * @param model the model that answered
 * @param functionCall the function to call; null for a text
 * @param usage the tokens; null when the service did not tell them
 * @param requestId the id by which the service's support finds the request
 * @param sessionId the session's id; null when there is none
 * @param json the answer as it came; empty for a stream's
 * @param attempts how many requests were sent
 * @param timings how long the call's parts took
 */
public record Response(
    String text, String finishReason, String model, FunctionCall functionCall, TokenUsage usage, String requestId,
    String sessionId, String json, int attempts, Timings timings) {

    /**
     * How long a call's parts took.
     *
     * @param queue the wait for a permit
     * @param token the wait for an access token
     * @param firstByte until the answer's first byte
     * @param firstContent until its first content
     * @param total all of it
     */
    public record Timings(
        Duration queue, Duration token, Duration firstByte, Duration firstContent, Duration total) {}

    /** Copies an answer and frees its handle. */
    static Response of(long handle) {
        try {
            String name = Library.text(Native.response_function_name, handle);
            FunctionCall call = name == null ? null : new FunctionCall(name,
                Library.text(Native.response_function_arguments, handle),
                Library.text(Native.response_functions_state_id, handle));
            Timings timings = new Timings(time(Native.response_queue_us, handle), time(Native.response_token_us, handle),
                time(Native.response_first_byte_us, handle), time(Native.response_first_content_us, handle),
                time(Native.response_total_us, handle));
            Response response = new Response(Library.text(Native.response_text, handle),
                Library.text(Native.response_finish_reason, handle), Library.text(Native.response_model, handle), call,
                TokenUsage.of(handle, Native.response_prompt_tokens, Native.response_completion_tokens,
                    Native.response_total_tokens, Native.response_precached_prompt_tokens),
                Library.text(Native.response_request_id, handle), Library.text(Native.response_session_id, handle),
                Library.text(Native.response_body, handle), (int) Native.response_attempts.invokeExact(handle), timings);
            Native.response_free.invokeExact(handle);
            return response;
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    private static Duration time(MethodHandle get, long handle) throws Throwable {
        return Duration.ofNanos((long) get.invokeExact(handle) * 1000);
    }
}
