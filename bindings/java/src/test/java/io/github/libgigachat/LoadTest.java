package io.github.libgigachat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many at once from one program. Times bound a hang, no more. LOADS=short asks for fewer. */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LoadTest {
    private static final boolean SHORT = "short".equals(System.getenv("LOADS"));

    private static GigaChat client() {
        return GigaChat.fromEnv(new Options().maxConcurrency(0).timeout(Duration.ofHours(1))
            .idleTimeout(Duration.ofHours(1)).streamTimeout(Duration.ofHours(1)));
    }

    @Test
    void tenThousandCallsAtOnce() throws Exception {
        try (GigaChat client = client()) {
            List<CompletableFuture<Response>> all = new ArrayList<>();
            for (int i = 0; i < (SHORT ? 500 : 10_000); i++) {
                all.add(client.chatAsync(Request.of("repeat: " + i)));
            }
            for (int i = 0; i < all.size(); i++) {
                assertEquals(String.valueOf(i), all.get(i).get().text());
            }
        }
    }

    @Test
    void aThousandStreamsAtOnceOnVirtualThreads() throws Exception {
        try (GigaChat client = client(); ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> all = new ArrayList<>();
            for (int i = 0; i < (SHORT ? 100 : 1000); i++) {
                all.add(threads.submit(() -> {
                    StringBuilder text = new StringBuilder();
                    try (ChatStream stream = client.stream(Request.of("repeat: one of many"))) {
                        for (Event event : stream) {
                            if (event.type() == EventType.TEXT) {
                                text.append(event.text());
                            }
                        }
                    }
                    return text.toString();
                }));
            }
            for (Future<String> one : all) {
                assertEquals("one of many", one.get());
            }
        }
    }

    @Test
    void whatNobodyHoldsIsCollected() throws Exception {
        long before = GigaChat.liveHandles();
        for (int i = 0; i < 50; i++) {
            client().stream(Request.of("count to 50")).next();
        }
        for (int i = 0; i < 3000 && GigaChat.liveHandles() > before; i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertTrue(GigaChat.liveHandles() <= before, () -> GigaChat.liveHandles() + " handles, " + before + " before");
    }
}
