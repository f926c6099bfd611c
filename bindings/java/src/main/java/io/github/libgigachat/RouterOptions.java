// Made from api/gigachat.json by generate.py. Do not edit.
package io.github.libgigachat;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a router works. */
public final class RouterOptions {
    private final Map<String, String> values = new LinkedHashMap<>();

    /** Options with their defaults. */
    public RouterOptions() {}

    /** An option by the library's name, such as one of a newer library. */
    public RouterOptions set(String name, String value) {
        values.put(name, value);
        return this;
    }

    Map<String, String> values() {
        return values;
    }

    /** The router's name in logs, metrics and the reports of an outer router. */
    public RouterOptions name(String value) {
        return set("name", value);
    }

    /** How members are chosen. */
    public RouterOptions strategy(String value) {
        return set("strategy", value);
    }

    /** The total time of a call, all attempts and waits included; of a stream, until its first content. With it an attempt gets the smaller of its member's timeout and the remaining time divided by the members that are left. */
    public RouterOptions deadline(Duration value) {
        return set("deadline", Library.seconds(value));
    }

    /** Whether members repeat failed requests themselves before the next member is asked: retries multiply then. */
    public RouterOptions memberRetries(boolean value) {
        return set("member_retries", String.valueOf(value));
    }

    /** Whether the next member is asked after a member's answer did not come in time; the first may have answered and billed nevertheless. */
    public RouterOptions fallbackAfterReadTimeout(boolean value) {
        return set("fallback_after_read_timeout", String.valueOf(value));
    }

    /** How long a call waits in sum for cooled members when all are; 0 means: fail at once. */
    public RouterOptions maxCooldownWait(Duration value) {
        return set("max_cooldown_wait", Library.seconds(value));
    }

    /** The cooldown of a failure without Retry-After, doubled with each that follows, up to longest_cooldown. */
    public RouterOptions cooldown(Duration value) {
        return set("cooldown", Library.seconds(value));
    }

    /** How long a cooldown becomes at most when the service did not say how long. */
    public RouterOptions longestCooldown(Duration value) {
        return set("longest_cooldown", Library.seconds(value));
    }

    /** How long a member takes from its return to its full share. */
    public RouterOptions ramp(Duration value) {
        return set("ramp", Library.seconds(value));
    }

    /** How many failures in a row cool a member when the service did not say how long. 401, 402, 403 and 429 cool at once. */
    public RouterOptions failuresToCool(int value) {
        return set("failures_to_cool", String.valueOf(value));
    }

    /** Makes random choices repeatable, for tests. */
    public RouterOptions seed(int value) {
        return set("seed", String.valueOf(value));
    }
}
