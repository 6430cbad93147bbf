package io.mooring.simulation.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** C1, C9, E2 on three real processes that are run as the chart runs them, after the cluster's DNS is gone. */
class PodDrillIT {
    @Test
    void podsComeBackAndMoveWithoutAnybodyWhoResolvesNames() throws IOException, InterruptedException {
        Path story = Files.createTempFile("pod-drill", ".txt");
        Process drill = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        "target/cluster-drill.jar",
                        "io.mooring.simulation.real.PodDrill",
                        "../registry-server/target/registry-server.jar")
                .redirectErrorStream(true)
                .redirectOutput(story.toFile())
                .start();
        boolean ended = drill.waitFor(10, TimeUnit.MINUTES);
        drill.destroy();
        String told = Files.readString(story, StandardCharsets.UTF_8);
        System.out.println(told);
        assertTrue(ended, told);
        assertEquals(0, drill.exitValue(), told);
        assertTrue(told.contains("none of them empty or shorter") && told.contains("HELD"), told);
    }
}
