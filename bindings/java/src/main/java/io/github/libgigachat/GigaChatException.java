package io.github.libgigachat;

import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A failure of a call: its class and {@link #kind} say what went wrong, its message what to do. */
public class GigaChatException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private static final Gson JSON = new Gson();

    private final transient Details details;

    /** What the library tells of a failure. */
    static final class Details {
        int status;
        String kind = "internal";
        String phase = "input";
        String message = "";
        @SerializedName("http_status") Integer httpStatus;
        @SerializedName("service_code") Long serviceCode;
        @SerializedName("request_id") String requestId;
        @SerializedName("retry_after_ms") Long retryAfterMs;
        boolean retryable;
        int attempts;
        @SerializedName("partial_text") String partialText;
        String body = "";
        @SerializedName("route_attempts") List<RouteAttempt> routeAttempts = List.of();
    }

    /**
     * An attempt of a routed call that failed.
     *
     * @param member the member's name
     * @param kind the cause, as {@link GigaChatException#kind}
     * @param http_status the HTTP status; null when no answer came
     * @param request_id the request's id; null when none was sent
     * @param duration_ms how long the attempt took, in milliseconds
     */
    public record RouteAttempt(String member, String kind, Integer http_status, String request_id, long duration_ms) {}

    GigaChatException(Details details) {
        super(details.message);
        this.details = details;
    }

    /** The exception of a status and its error, which is freed. */
    static GigaChatException of(int status, long error) {
        Details details = new Details();
        details.status = status;
        details.message = "status " + status;
        if (error != 0) {
            details = JSON.fromJson(Library.text(Native.error_json, error), Details.class);
            try {
                Native.error_free.invokeExact(error);
            } catch (Throwable why) {
                throw Library.unexpected(why);
            }
        }
        var made = Exceptions.BY_KIND.get(details.kind);
        return made == null ? new GigaChatException(details) : made.apply(details);
    }

    /**
     * The C library's status.
     *
     * @return its number
     */
    public int status() {
        return details.status;
    }

    /**
     * The cause in lower snake case, such as rate_limit.
     *
     * @return the kind's name
     */
    public String kind() {
        return details.kind;
    }

    /**
     * The part of the call that failed, such as connect.
     *
     * @return the phase's name
     */
    public String phase() {
        return details.phase;
    }

    /**
     * The HTTP status.
     *
     * @return the status; empty when no answer came
     */
    public Optional<Integer> httpStatus() {
        return Optional.ofNullable(details.httpStatus);
    }

    /**
     * The service's own code of an OAuth error.
     *
     * @return the code, if there was one
     */
    public Optional<Long> serviceCode() {
        return Optional.ofNullable(details.serviceCode);
    }

    /**
     * The id by which the service's support finds the request.
     *
     * @return the id; empty when no request was sent
     */
    public Optional<String> requestId() {
        return Optional.ofNullable(details.requestId);
    }

    /**
     * How long the service asks to wait.
     *
     * @return the time; empty when it did not say
     */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(details.retryAfterMs).map(Duration::ofMillis);
    }

    /**
     * Whether the same call may succeed later.
     *
     * @return true when it may
     */
    public boolean retryable() {
        return details.retryable;
    }

    /**
     * How many requests were sent for the call.
     *
     * @return the number
     */
    public int attempts() {
        return details.attempts;
    }

    /**
     * What a stream had delivered before it broke.
     *
     * @return the text; empty when this was no stream
     */
    public Optional<String> partialText() {
        return Optional.ofNullable(details.partialText);
    }

    /**
     * The body of the service's answer, at most 64 KiB of it.
     *
     * @return the body; empty when none came
     */
    public String body() {
        return details.body;
    }

    /**
     * The attempts of a call that went through a router.
     *
     * @return the attempts; empty without a router
     */
    public List<RouteAttempt> routeAttempts() {
        return details.routeAttempts;
    }
}
