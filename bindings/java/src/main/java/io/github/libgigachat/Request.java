package io.github.libgigachat;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** A chat: its messages, and how they are to be answered. Not for several threads at once. */
public final class Request {
    private static final Gson JSON = new Gson();

    private final JsonObject body;
    private final JsonArray messages;
    private final Map<String, String> options = new LinkedHashMap<>();

    /** A request without messages. */
    public Request() {
        this(new JsonObject());
    }

    private Request(JsonObject body) {
        this.body = body;
        if (!body.has("messages")) {
            body.add("messages", new JsonArray());
        }
        messages = body.getAsJsonArray("messages");
    }

    /**
     * A request with one user message.
     *
     * @param prompt the message
     * @return the request
     */
    public static Request of(String prompt) {
        return new Request().add("user", prompt);
    }

    /**
     * A request in the wire format.
     *
     * @param json a JSON object
     * @return the request
     */
    public static Request ofJson(String json) {
        return new Request(JsonParser.parseString(json).getAsJsonObject());
    }

    /**
     * Appends a message.
     *
     * @param role user, assistant, system, ...
     * @param content the text
     * @return this
     */
    public Request add(String role, String content) {
        return add(JSON.toJsonTree(new Message(role, content)));
    }

    /**
     * Appends an answer to the history, with its function call if it has one.
     *
     * @param answer the answer
     * @return this
     */
    public Request add(Response answer) {
        JsonObject message = JSON.toJsonTree(new Message("assistant", answer.text())).getAsJsonObject();
        FunctionCall call = answer.functionCall();
        if (call != null) {
            JsonObject written = new JsonObject();
            written.addProperty("name", call.name());
            written.add("arguments", JsonParser.parseString(call.arguments()));
            message.add("function_call", written);
            if (call.stateId() != null) {
                message.addProperty("functions_state_id", call.stateId());
            }
        }
        return add(message);
    }

    /**
     * Appends a function's result.
     *
     * @param function the function's name
     * @param json the result, a JSON value
     * @return this
     */
    public Request addResult(String function, String json) {
        JsonObject message = JSON.toJsonTree(new Message("function", json)).getAsJsonObject();
        message.addProperty("name", function);
        return add(message);
    }

    private Request add(JsonElement message) {
        messages.add(message);
        return this;
    }

    /**
     * Sets a field of the wire format: model, temperature, max_tokens, stop, functions, ...
     *
     * @param name the field
     * @param value a text, number, boolean, list, map, or Gson's element
     * @return this
     */
    public Request set(String name, Object value) {
        body.add(name, JSON.toJsonTree(value));
        return this;
    }

    /**
     * Sets an option of this call by the library's name: request_id, session_id, client_id, ...
     *
     * @param name the option
     * @param value its value
     * @return this
     */
    public Request option(String name, String value) {
        options.put(name, value);
        return this;
    }

    /**
     * Bounds the call, from its permit on.
     *
     * @param time how long it may take
     * @return this
     */
    public Request timeout(Duration time) {
        return option("timeout", Library.seconds(time));
    }

    /**
     * Sends a header beside the library's own.
     *
     * @param name the header
     * @param value its value
     * @return this
     */
    public Request header(String name, String value) {
        return option("extra_headers", options.containsKey("extra_headers")
            ? options.get("extra_headers") + "\n" + name + ": " + value : name + ": " + value);
    }

    /** The handle, which the caller frees. What is refused is told of by the call. */
    long build() {
        try (Scratch scratch = new Scratch()) {
            long request = named("chat");
            MemorySegment json = Library.utf8(scratch.arena, JSON.toJson(body));
            int ignored = (int) Native.request_set_json.invokeExact(request, json, json.byteSize());
            scratch.setAll(Native.request_set, request, options);
            return request;
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }

    /** The handle of a request for an operation by its name, which the caller frees. */
    static long named(String operation) {
        try (Scratch scratch = new Scratch()) {
            MemorySegment name = Library.utf8(scratch.arena, operation);
            scratch.check((int) Native.request_new.invokeExact(name, name.byteSize(), scratch.out, scratch.error));
            return scratch.value();
        } catch (Throwable why) {
            throw Library.unexpected(why);
        }
    }
}
