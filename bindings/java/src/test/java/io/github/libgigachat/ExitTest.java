package io.github.libgigachat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A program that ends with calls and a stream in flight keeps its exit code. */
class ExitTest {
    /** The program. */
    public static final class Program {
        private Program() {}

        /**
         * Begins five calls and a stream, and ends.
         *
         * @param arguments how it ends
         * @throws Exception when that is how it ends
         */
        public static void main(String[] arguments) throws Exception {
            GigaChat client = GigaChat.fromEnv(new Options().maxConcurrency(0));
            for (int i = 0; i < 5; i++) {
                client.chatAsync(Request.of("never")
                    .header("X-Emulator-Fault", "{\"type\":\"delay_headers\",\"ms\":60000}"));
            }
            ChatStream stream = client.stream(Request.of("count to 50"));
            stream.next();
            switch (arguments[0]) {
                case "exit" -> System.exit(7);
                case "throw" -> throw new IllegalStateException("boom");
                case "halt" -> Runtime.getRuntime().halt(9);
                default -> { }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"return,0", "exit,7", "throw,1", "halt,9"})
    void keepsItsExitCode(String how, int code) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        for (int i = 0; i < 2; i++) {
            Process program = new ProcessBuilder(java, "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), Program.class.getName(), how).redirectErrorStream(true).start();
            boolean ended = program.waitFor(60, TimeUnit.SECONDS);
            program.destroyForcibly();
            assertTrue(ended, "the program hangs");
            String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(code, program.exitValue(), said);
        }
    }
}
