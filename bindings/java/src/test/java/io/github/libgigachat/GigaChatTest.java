package io.github.libgigachat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the package does against the emulator: gigachat-emulator --quiet -- mvn test. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class GigaChatTest {
    private static final String SLOW = "{\"type\":\"delay_headers\",\"ms\":5000}";

    @BeforeAll
    static void theEmulatorIsThere() {
        assertTrue(System.getenv("GIGACHAT_CREDENTIALS") != null, "run inside gigachat-emulator --quiet -- mvn test");
    }

    private static GigaChat client() {
        return GigaChat.fromEnv(new Options().maxConcurrency(0));
    }

    @Test
    void aPromptIsAnsweredWithAnyCharacters() throws Exception {
        try (GigaChat client = client()) {
            assertEquals("привет \0 NUL", client.generate("repeat: привет \0 NUL"));
        }
    }

    @Test
    void anAnswerTellsEverything() throws Exception {
        try (GigaChat client = client()) {
            Request request = Request.of("repeat: hello").set("temperature", 0.5).timeout(Duration.ofSeconds(20));
            Response answer = client.chat(request);
            assertEquals("hello", answer.text());
            assertEquals("stop", answer.finishReason());
            assertTrue(answer.usage().total() > 0);
            assertEquals(1, answer.attempts());
            assertTrue(answer.json().contains("\"choices\""));
            assertFalse(answer.requestId().isEmpty());
            assertNull(answer.functionCall());
        }
    }

    @Test
    void aStreamGivesItsTextThenItsAnswer() throws Exception {
        try (GigaChat client = client(); ChatStream stream = client.stream(Request.of("count to 5"))) {
            StringBuilder text = new StringBuilder();
            for (Event event : stream) {
                if (event.type() == EventType.TEXT) {
                    text.append(event.text());
                }
            }
            assertEquals(text.toString(), stream.response().text());
            assertTrue(text.toString().contains("5"));
        }
    }

    @Test
    void eventsAreAStreamOfJavas() throws Exception {
        try (GigaChat client = client(); ChatStream stream = client.stream(Request.of("count to 5"))) {
            String text = stream.events().filter(event -> event.type() == EventType.TEXT).map(Event::text)
                .collect(Collectors.joining());
            assertTrue(text.contains("5"));
        }
    }

    @Test
    void aStreamThatIsLeftFreesItsPermit() throws Exception {
        try (GigaChat client = GigaChat.fromEnv(new Options().maxConcurrency(1))) {
            try (ChatStream stream = client.stream(Request.of("count to 50"))) {
                stream.next();
            }
            assertEquals("next", client.generate("repeat: next"));
        }
    }

    @Test
    void fiftyVirtualThreadsAreAnswered() throws Exception {
        try (GigaChat client = client(); ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> answers = IntStream.range(0, 50)
                .mapToObj(i -> threads.submit(() -> client.generate("repeat: " + i))).toList();
            for (int i = 0; i < 50; i++) {
                assertEquals(String.valueOf(i), answers.get(i).get());
            }
        }
    }

    @Test
    void aCancelledFutureEndsItsCall() throws Exception {
        try (GigaChat client = client()) {
            CompletableFuture<Response> slow =
                client.chatAsync(Request.of("x").header("X-Emulator-Fault", SLOW));
            assertTrue(slow.cancel(true));
            assertThrows(CancellationException.class, slow::join);
        }
    }

    @Test
    void anInterruptCancels() throws Exception {
        try (GigaChat client = client()) {
            Thread me = Thread.currentThread();
            Thread.ofVirtual().start(() -> {
                try {
                    Thread.sleep(50);
                } catch (InterruptedException impossible) {
                    return;
                }
                me.interrupt();
            });
            assertThrows(InterruptedException.class,
                () -> client.chat(Request.of("x").header("X-Emulator-Fault", SLOW)));
        }
    }

    @Test
    void errorsHaveAClassAKindAndEverythingElse() throws Exception {
        try (GigaChat client = GigaChat.fromEnv(new Options().authorizationKey("d3Jvbmc6d3Jvbmc="))) {
            GigaChatException why = assertThrows(GigaChatException.class, () -> client.generate("hello"));
            assertInstanceOf(Exceptions.AuthenticationException.class, why);
            assertEquals("authentication", why.kind());
            assertEquals(401, why.httpStatus().orElseThrow());
            assertEquals("token", why.phase());
            assertFalse(why.toString().contains("d3Jvbmc6d3Jvbmc="));
        }
    }

    @Test
    void badOptionsAreRefusedByName() {
        GigaChatException why =
            assertThrows(GigaChatException.class, () -> new GigaChat(new Options().set("tiemout", "1")));
        assertTrue(why.getMessage().contains("timeout"));
        assertThrows(Exceptions.ConfigurationException.class,
            () -> new GigaChat(new Options().authorizationKey("d3Jvbmc6d3Jvbmc=").timeout(Duration.ofSeconds(-1))));
    }

    @Test
    void theHealthCheckSaysHowLongItTook() throws Exception {
        try (GigaChat client = client()) {
            assertTrue(client.healthCheck().toNanos() > 0);
        }
    }

    @Test
    void aRouterAnswersThroughItsMembers() throws Exception {
        try (GigaChat member = client(); Router router = new Router(new RouterOptions().strategy("first-available"))) {
            long id = router.add(member, "one", 1);
            assertEquals("routed", router.generate("repeat: routed"));
            assertTrue(router.prometheus().contains("one"));
            router.remove(id);
            assertThrows(GigaChatException.class, () -> router.generate("nobody"));
        }
    }

    @Test
    void aConversationKeepsItsHistory() throws Exception {
        try (GigaChat client = client()) {
            Request request = Request.of("repeat: one");
            request.add(client.chat(request)).add("user", "repeat: two");
            assertEquals("two", client.chat(request).text());
        }
    }

    /** Refuses what says so. */
    private static final Answerer MINE = new Answerer() {
        @Override
        public String generate(String request) throws Exception {
            if (request.contains("refuse")) {
                throw new IllegalStateException("no");
            }
            if (request.contains("sleep")) {
                Thread.sleep(60_000);
            }
            return "mine";
        }

        @Override
        public void stream(String request, Consumer<String> piece) {
            piece.accept("mi");
            piece.accept("ne");
        }
    };

    @Test
    void aProviderOfTheProgramsOwnAnswersAloneAndInARouter() throws Exception {
        try (CustomProvider mine = new CustomProvider("mine", MINE); GigaChat client = client();
            Router router = new Router(new RouterOptions().strategy("first-available"))) {
            assertEquals("mine", mine.generate("hello"));
            assertTrue(mine.healthCheck().toNanos() >= 0);
            try (ChatStream stream = mine.stream(Request.of("hello"))) {
                assertEquals("mine", stream.events().filter(event -> event.type() == EventType.TEXT).map(Event::text)
                    .collect(Collectors.joining()));
            }
            GigaChatException why = assertThrows(GigaChatException.class, () -> mine.generate("refuse"));
            assertTrue(why.getMessage().contains("no"), why.getMessage());
            router.add(mine, "", 1);
            router.add(client, "service", 1);
            assertEquals("mine", router.generate("hello"));
        }
    }

    @Test
    void whatNobodyWaitsForIsInterrupted() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Answerer sleeper = request -> {
            begun.countDown();
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException why) {
                interrupted.countDown();
            }
            return "";
        };
        try (CustomProvider mine = new CustomProvider("sleeper", sleeper)) {
            CompletableFuture<Response> pending = mine.chatAsync(Request.of("hello"));
            assertTrue(begun.await(30, TimeUnit.SECONDS));
            pending.cancel(true);
            assertTrue(interrupted.await(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void recordsReachTheLogger() throws Exception {
        ConcurrentLinkedQueue<String> records = new ConcurrentLinkedQueue<>();
        System.Logger logger = new System.Logger() {
            @Override
            public String getName() {
                return "test";
            }

            @Override
            public boolean isLoggable(Level level) {
                return true;
            }

            @Override
            public void log(Level level, ResourceBundle bundle, String text, Throwable thrown) {
                records.add(text);
            }

            @Override
            public void log(Level level, ResourceBundle bundle, String format, Object... parameters) {
                records.add(format);
            }
        };
        Log.to(logger, System.Logger.Level.TRACE);
        try (GigaChat client = client()) {
            client.generate("hello");
        } finally {
            Log.to(null, System.Logger.Level.OFF);
        }
        for (int i = 0; i < 1000 && records.isEmpty(); i++) {
            Thread.sleep(10);
        }
        assertTrue(records.stream().anyMatch(text -> text.startsWith("gigachat")), records::toString);
    }
}
