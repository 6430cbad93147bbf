package io.mooring.simulation.drill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** C1, C2, C7, C9, C10 on real processes: the drill of the README, with shorter phases. */
class OutageDrillIT {
    @Test
    void callsGoOnWhileTheRegistryIsDead() throws IOException, InterruptedException {
        drill(1);
    }

    @Test
    void callsGoOnWhileOneNodeOfThreeAndThenAllAreDead() throws IOException, InterruptedException {
        drill(3);
    }

    private static void drill(int nodes) throws IOException, InterruptedException {
        Path story = Files.createTempFile("outage-drill", ".txt");
        Process drill = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-jar",
                        "target/outage-drill.jar",
                        "--phase-seconds=2",
                        "--nodes=" + nodes)
                .redirectErrorStream(true)
                .redirectOutput(story.toFile())
                .start();
        boolean ended = drill.waitFor(4, TimeUnit.MINUTES);
        drill.destroyForcibly();
        String told = Files.readString(story, StandardCharsets.UTF_8);
        assertTrue(ended, told);
        assertEquals(0, drill.exitValue(), told);
        assertTrue(told.contains("0 failed") && told.contains("HELD"), told);
    }
}
