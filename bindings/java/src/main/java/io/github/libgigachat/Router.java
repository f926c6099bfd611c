package io.github.libgigachat;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** A provider that spreads calls over its members, and falls over to the next when one fails. */
public final class Router extends Provider {
    /** A router with the defaults. */
    public Router() {
        this(new RouterOptions());
    }

    /**
     * A router without members.
     *
     * @param options how it works
     */
    public Router(RouterOptions options) {
        super(made(options));
    }

    private static long made(RouterOptions options) {
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) Native.router_options_new.invokeExact(scratch.out, scratch.error));
            long settings = scratch.value();
            try {
                scratch.setAll(Native.router_options_set, settings, options.values());
                scratch.check((int) Native.router_new.invokeExact(settings, scratch.out, scratch.error));
                return scratch.value();
            } finally {
                Native.router_options_free.invokeExact(settings);
            }
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /**
     * Adds a member.
     *
     * @param member a client, or another router
     * @param name its name in metrics; empty is the provider's own
     * @param weight 1 to 1000, how many calls it gets compared with the others
     * @return what {@link #remove} takes
     */
    public long add(Provider member, String name, int weight) {
        try (Scratch scratch = new Scratch()) {
            MemorySegment text = Library.utf8(scratch.arena, name);
            scratch.check((int) Native.router_add.invokeExact(
                handle, member.handle, text, text.byteSize(), weight, scratch.out, scratch.error));
            return scratch.value();
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /**
     * Removes a member; calls that run on it go on.
     *
     * @param id what {@link #add} gave
     */
    public void remove(long id) {
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) Native.router_remove.invokeExact(handle, id, scratch.error));
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /**
     * What is known of the members: requests, failures by kind, latency, tokens, cost, cooldown, health.
     *
     * @return a JSON object
     */
    public String metrics() {
        return owned(Native.router_metrics_json);
    }

    /**
     * The same in Prometheus' text format.
     *
     * @return the text
     */
    public String prometheus() {
        return owned(Native.router_prometheus);
    }

    private String owned(MethodHandle get) {
        try (Scratch scratch = new Scratch()) {
            scratch.check((int) get.invokeExact(handle, scratch.out, scratch.error));
            long text = scratch.value();
            String copied = Library.text(Native.text_data, text);
            Native.text_free.invokeExact(text);
            return copied;
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }
}
