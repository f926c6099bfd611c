package io.github.libgigachat;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The Java side of the fault matrix (tests/behaviour): reads one command a line from stdin, performs it through the
 * package, answers with one line of JSON. It decides nothing.
 */
public final class MatrixDriver {
    private static final Gson JSON = new GsonBuilder().serializeNulls().create();

    private GigaChat client;

    private static Map<String, Object> failed(Throwable why, String delivered) {
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("result", "error");
        outcome.put("text", delivered);
        if (why instanceof java.util.concurrent.CancellationException) {
            outcome.put("kind", "cancelled");
            return outcome;
        }
        if (!(why instanceof GigaChatException error)) {
            outcome.put("kind", "not_ours");
            outcome.put("message", String.valueOf(why));
            return outcome;
        }
        outcome.put("kind", error.kind());
        outcome.put("phase", error.phase());
        outcome.put("message", error.getMessage());
        outcome.put("http", error.httpStatus().orElse(0));
        outcome.put("code", error.serviceCode().orElse(0L));
        outcome.put("retry_after_ms", error.retryAfter().map(wait -> wait.toMillis()).orElse(-1L));
        outcome.put("retryable", error.retryable() ? 1 : 0);
        outcome.put("attempts", error.attempts());
        outcome.put("request_id", error.requestId().isPresent() ? 1 : 0);
        outcome.put("partial", error.partialText().orElse(null));
        return outcome;
    }

    private static Map<String, Object> answered(Response response, String text) {
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("result", "ok");
        outcome.put("text", text);
        outcome.put("attempts", response.attempts());
        outcome.put("request_id", response.requestId() == null || response.requestId().isEmpty() ? 0 : 1);
        return outcome;
    }

    private Map<String, Object> open(String[] fields) {
        Options options = new Options().set("proxy_from_environment", "false");
        for (int i = 1; i < fields.length; i++) {
            int at = fields[i].indexOf('=');
            String name = fields[i].substring(0, at);
            String value = fields[i].substring(at + 1);
            if (name.endsWith("_ms")) {
                options.set(name.substring(0, name.length() - 3), Double.toString(Long.parseLong(value) / 1000.0));
            } else {
                options.set(name, value);
            }
        }
        try {
            client = new GigaChat(options);
            return new LinkedHashMap<>(Map.of("result", "ok"));
        } catch (GigaChatException why) {
            return failed(why, null);
        }
    }

    private Map<String, Object> call(String prompt) throws InterruptedException {
        try {
            Response response = client.chat(Request.of(prompt));
            return answered(response, response.text());
        } catch (GigaChatException why) {
            return failed(why, null);
        }
    }

    private static Map<String, Object> read(ChatStream stream) throws InterruptedException {
        StringBuilder delivered = new StringBuilder();
        try {
            for (Event event = stream.next(); event != null; event = stream.next()) {
                if (event.type() == EventType.TEXT) {
                    delivered.append(event.text());
                }
            }
            return answered(stream.response(), delivered.toString());
        } catch (GigaChatException why) {
            return failed(why, delivered.toString());
        }
    }

    private Map<String, Object> stream(String prompt) throws InterruptedException {
        try (ChatStream stream = client.stream(Request.of(prompt))) {
            return read(stream);
        }
    }

    private Map<String, Object> cancelCall(long after, String prompt) throws InterruptedException {
        CompletableFuture<Response> pending = client.chatAsync(Request.of(prompt));
        long begun = System.nanoTime();
        Map<String, Object> outcome;
        try {
            Response response = pending.get(after, TimeUnit.MILLISECONDS);
            outcome = answered(response, response.text());
        } catch (ExecutionException why) {
            outcome = failed(why.getCause(), null);
        } catch (TimeoutException late) {
            begun = System.nanoTime();
            pending.cancel(true);
            try {
                outcome = answered(pending.join(), "");
            } catch (CompletionException why) {
                outcome = failed(why.getCause(), null);
            } catch (java.util.concurrent.CancellationException why) {
                outcome = failed(why, null);
            }
        }
        outcome.put("cancelled_within_ms", (System.nanoTime() - begun) / 1_000_000);
        return outcome;
    }

    private Map<String, Object> cancelStream(long after, String prompt) throws InterruptedException {
        try (ChatStream stream = client.stream(Request.of(prompt))) {
            long[] begun = {System.nanoTime()};
            Thread canceller = Thread.ofVirtual().start(() -> {
                try {
                    Thread.sleep(after);
                    begun[0] = System.nanoTime();
                    stream.cancel();
                } catch (InterruptedException ended) {
                    // It ended first.
                }
            });
            Map<String, Object> outcome = read(stream);
            canceller.interrupt();
            canceller.join();
            outcome.put("cancelled_within_ms", (System.nanoTime() - begun[0]) / 1_000_000);
            return outcome;
        }
    }

    private Map<String, Object> many(int count, String prompt) throws InterruptedException {
        List<CompletableFuture<Response>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(client.chatAsync(Request.of(prompt)));
        }
        Throwable bad = null;
        int answered = 0;
        for (CompletableFuture<Response> one : all) {
            try {
                one.get();
                answered++;
            } catch (ExecutionException why) {
                bad = bad == null ? why.getCause() : bad;
            }
        }
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("result", bad == null ? "ok" : "error");
        outcome.put("kind", bad == null ? "" : failed(bad, null).get("kind"));
        outcome.put("answered", answered);
        return outcome;
    }

    private Map<String, Object> health() throws InterruptedException {
        try {
            client.healthCheck();
            return new LinkedHashMap<>(Map.of("result", "ok"));
        } catch (GigaChatException why) {
            return failed(why, null);
        }
    }

    private Map<String, Object> close() throws InterruptedException {
        client.close();
        client = null;
        // A cancelled future ends before the thread that takes from the queue has freed its call.
        for (int i = 0; i < 200 && GigaChat.liveHandles() != 0; i++) {
            Thread.sleep(10);
        }
        return new LinkedHashMap<>(Map.of("result", "ok", "live", GigaChat.liveHandles()));
    }

    private Map<String, Object> obey(String[] fields) throws InterruptedException {
        return switch (fields[0]) {
            case "open" -> open(fields);
            case "call" -> call(fields[1]);
            case "stream" -> stream(fields[1]);
            case "cancel_call" -> cancelCall(Long.parseLong(fields[1]), fields[2]);
            case "cancel_stream" -> cancelStream(Long.parseLong(fields[1]), fields[2]);
            case "health" -> health();
            case "many" -> many(Integer.parseInt(fields[1]), fields[2]);
            case "close" -> close();
            default -> throw new IllegalArgumentException("a command that nobody knows: " + fields[0]);
        };
    }

    /**
     * Obeys until stdin ends.
     *
     * @param arguments none
     * @throws Exception when stdin cannot be read
     */
    public static void main(String[] arguments) throws Exception {
        MatrixDriver driver = new MatrixDriver();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> outcome = driver.obey(line.split("\t", -1));
            if (driver.client != null) {
                outcome.put("held", driver.client.permits().held());
            }
            out.println(JSON.toJson(outcome));
        }
    }
}
