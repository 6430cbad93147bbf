package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mooring.server.config.RunningServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What Helm says after an installation, and what {@code helm test} does. */
class ReleaseTest {
    static List<Path> matrix() throws IOException {
        return Matrix.files();
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void theNotesSayWhatToDoNext(Path values) {
        String notes = Chart.installationOf(values);
        Object name = Yamls.get(Chart.renderedFrom(values).statefulSet(), "metadata.name");

        assertThat(notes.substring(notes.indexOf("NOTES:")))
                .contains("kubectl -n registry rollout status statefulset/" + name)
                .contains("helm -n registry test " + Chart.RELEASE)
                .contains("kubectl -n registry get secret ")
                .containsPattern("create secret generic \\S+ --from-literal=\\S+=")
                .doesNotContain("<no value>", "%!");
    }

    private static String script() {
        Map<String, Object> pod = Chart.rendered("replicaCount=1").get("Pod", "mooring-test");
        Object command = Yamls.get(Yamls.listAt(pod, "spec.containers").get(0), "command");
        return String.valueOf(((List<?>) command).get(2));
    }

    /** At a node of this machine instead of those of a cluster. */
    private static int run(String script) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-ec", script)
                .redirectErrorStream(true)
                .redirectOutput(Files.createTempFile(Path.of("target"), "helm-test", ".txt")
                        .toFile())
                .start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("it ends").isTrue();
        return process.exitValue();
    }

    @Test
    void theTestPassesAtANodeAndFailsWithout() throws IOException, InterruptedException {
        assumeTrue(hasCurl(), "curl is not installed");
        String here;
        try (RunningServer server = RunningServer.start().ready()) {
            here = script().replace("mooring-0.mooring-peers", "127.0.0.1")
                    .replace("http://mooring:8848", "http://127.0.0.1:8848")
                    .replace(":8848", ":" + server.port());
            assertThat(here).doesNotContain("mooring-0", "8848");

            assertThat(run(here)).isZero();
            assertThat(run(here.replace("list=$(curl", "list=$(: curl").replace("in 1 2 3 4 5 6 7 8 9 10", "in 1")))
                    .as("a node that does not list it")
                    .isEqualTo(1);
        }
        assertThat(run(here)).as("nobody is there").isNotZero();
    }

    private static boolean hasCurl() throws InterruptedException {
        try {
            return new ProcessBuilder("curl", "--fail-with-body", "--version")
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException absent) {
            return false;
        }
    }
}
