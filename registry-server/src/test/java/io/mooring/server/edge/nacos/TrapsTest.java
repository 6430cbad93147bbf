package io.mooring.server.edge.nacos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/** The list of traps in {@code docs/reliability.md} names tests that are there and run. */
class TrapsTest {
    private static final Pattern TEST = Pattern.compile("`((?:grpc|http)\\.\\w+)\\.(\\w+)`");

    private static List<String> traps() throws IOException {
        String text = Files.readString(Path.of("..", "docs", "reliability.md"));
        int from = text.indexOf("## Traps of the Nacos protocol");
        String section = text.substring(from, text.indexOf("\n## ", from));
        return section.lines()
                .filter(line -> line.startsWith("| ") && !line.startsWith("| trap "))
                .toList();
    }

    @Test
    void eachHasATestThatIsThere() throws Exception {
        List<String> traps = traps();
        List<String> missing = new ArrayList<>();
        for (String trap : traps) {
            Matcher test = TEST.matcher(trap);
            int found = 0;
            while (test.find()) {
                found++;
                Class<?> in = Class.forName(getClass().getPackageName() + "." + test.group(1));
                if (Arrays.stream(in.getDeclaredMethods())
                        .noneMatch(method -> method.getName().equals(test.group(2)) && isTest(method))) {
                    missing.add(test.group());
                }
            }
            assertThat(found).as(trap).isPositive();
        }

        assertThat(missing).as("tests that are named and not there").isEmpty();
        assertThat(traps).as("those that the contract names").hasSize(15);
    }

    private static boolean isTest(Method method) {
        return method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class);
    }
}
