package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class PropertiesTest {
    /** The table of the handbook against the records: every property in their order, its default, and a sentence. */
    @Test
    void everyPropertyIsInTheHandbook() throws IOException {
        Map<String, String> real = new LinkedHashMap<>();
        collect("mooring.", MooringProperties.class, real);
        assertThat(KnownProperties.names()).containsExactlyElementsOf(real.keySet());
        Map<String, String> rows = new LinkedHashMap<>();
        real.forEach((name, value) -> rows.put("`" + name + "`", value));
        Handbook.hasTable("Properties", rows);
    }

    private static void collect(String prefix, Class<?> type, Map<String, String> into) {
        for (Parameter parameter : type.getDeclaredConstructors()[0].getParameters()) {
            String name =
                    prefix + parameter.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
            if (parameter.getType().isRecord()) {
                collect(name + ".", parameter.getType(), into);
            } else {
                DefaultValue value = parameter.getAnnotation(DefaultValue.class);
                String text = value == null ? "" : String.join(",", value.value());
                into.put(name, value == null ? "none" : text.isEmpty() ? "" : "`" + text + "`");
            }
        }
    }

    private static StandardEnvironment environment(String source, String name) {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().addFirst(new MapPropertySource(source, Map.of(name, "1")));
        return environment;
    }

    @Test
    void aMisspeltPropertyIsNamedWithWhatWasProbablyMeant() {
        StartRefusedException refusal = catchThrowableOfType(
                StartRefusedException.class,
                () -> KnownProperties.check(environment("commandLineArgs", "mooring.lease.tttl")));

        assertThat(refusal).hasMessage("There is no property mooring.lease.tttl (in commandLineArgs).");
        assertThat(refusal.action()).startsWith("Did you mean mooring.lease.ttl?");
    }

    @Test
    void aPropertyOfTheWrongGroupIsFoundInItsOwn() {
        StartRefusedException refusal = catchThrowableOfType(
                StartRefusedException.class,
                () -> KnownProperties.check(environment("systemProperties", "mooring.confirmation")));

        assertThat(refusal.action()).startsWith("Did you mean mooring.protection.confirmation?");
    }

    @Test
    void whatAnOrchestratorPutsIntoTheEnvironmentDoesNoHarm() {
        StandardEnvironment environment = new StandardEnvironment();
        environment
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        Map.of("MOORING_SERVICE_HOST", "10.0.0.1", "MOORING_PORT", "tcp://10.0.0.1:8848")));

        assertThatCode(() -> KnownProperties.check(environment)).doesNotThrowAnyException();
    }

    private static MooringProperties.Cluster cluster(Map<String, Object> properties) {
        StandardEnvironment environment = new StandardEnvironment();
        environment
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, properties));
        KnownProperties.check(environment);
        return Binder.get(environment)
                .bindOrCreate("mooring", MooringProperties.class)
                .cluster();
    }

    @Test
    void theClustersSecretComesFromTheEnvironmentOrAFileAndIsNeverShown(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("secret"), "  from the file\n\n");

        assertThat(cluster(Map.of()).authenticates()).isFalse();
        assertThat(cluster(Map.of("MOORING_CLUSTER_SECRET", "from the environment"))
                        .sharedSecret())
                .isEqualTo("from the environment");
        for (String name : List.of("MOORING_CLUSTER_SECRETFILE", "MOORING_CLUSTER_SECRET_FILE")) {
            assertThat(cluster(Map.of(name, file.toString())).sharedSecret())
                    .as(name)
                    .isEqualTo("from the file");
        }
        assertThat(cluster(Map.of("MOORING_CLUSTER_SECRET", "hidden")))
                .asString()
                .doesNotContain("hidden");
    }

    @Test
    void peersAreAListInAnySpelling() {
        assertThat(cluster(Map.of("MOORING_CLUSTER_PEERS", "10.0.0.1, b.example:7000,,10.0.0.1:9849,2001:db8::1"))
                        .peers())
                .containsExactly("10.0.0.1:9849", "b.example:7000", "[2001:db8::1]:9849");
        assertThat(cluster(Map.of("MOORING_CLUSTER_PEERS", " ")).isConfigured()).isFalse();
        assertThatCode(() -> KnownProperties.check(environment("application.yaml", "mooring.cluster.peers[0]")))
                .doesNotThrowAnyException();
    }

    @Test
    void relaxedSpellingsAreKnown() {
        assertThatCode(() -> KnownProperties.check(environment("x", "mooring.dataDirectory")))
                .doesNotThrowAnyException();
        assertThatCode(() -> KnownProperties.check(environment("x", "mooring.protection.eviction_share")))
                .doesNotThrowAnyException();
    }
}
