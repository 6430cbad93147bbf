package io.mooring.chart;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The chart of this module, and what Helm makes of it without a cluster. */
final class Chart {
    static final Path DIRECTORY = Path.of("mooring");

    /** A name of a release that has the chart's, so that objects have short names. */
    static final String RELEASE = "mooring";

    static final String NAMESPACE = "registry";

    /** Without a cluster no secret can be made that would stay. */
    static final String SECRET = "peerSecret.existingSecret=mooring-peers";

    private static final String KUBERNETES = "1.32.0";

    private static boolean isCopied;

    private Chart() {}

    static Helm helm() {
        return new Helm(DIRECTORY);
    }

    /**
     * As text.
     *
     * @param values {@code key=value}, as after {@code --set}
     * @throws IllegalStateException when Helm, the schema or a template refuses; the message says why
     */
    static String text(String... values) {
        return textOn(KUBERNETES, values);
    }

    static String textOn(String kubernetes, String... values) {
        TemplateCommand command = command(kubernetes);
        for (String value : values) {
            int equals = value.indexOf('=');
            command.set(value.substring(0, equals), value.substring(equals + 1));
        }
        return command.call();
    }

    static String textOf(Path values) {
        return command(KUBERNETES).withValuesFile(values.toAbsolutePath()).call();
    }

    private static TemplateCommand command(String kubernetes) {
        return new Helm(withoutHooks())
                .template()
                .withName(RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeVersion(kubernetes);
    }

    /** What Helm would say after installing with that file of values. */
    static String installationOf(Path values) {
        return helm().install()
                .withName(RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeVersion(KUBERNETES)
                .clientOnly()
                .dryRun()
                .withValuesFile(values.toAbsolutePath())
                .call()
                .getOutput();
    }

    /** A copy in which the pod of helm test is an object like the others: the library leaves out hooks. */
    private static synchronized Path withoutHooks() {
        Path copy = Path.of("target", "chart-without-hooks", "mooring");
        if (!isCopied) {
            try (Stream<Path> files = Files.walk(DIRECTORY)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Path there = copy.resolve(DIRECTORY.relativize(file).toString());
                    Files.createDirectories(there.resolveSibling("."));
                    Files.writeString(there, Files.readString(file).replace("helm.sh/hook", "example.org/hook"));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            isCopied = true;
        }
        return copy;
    }

    /** The same with the secret named, as objects. */
    static Rendered rendered(String... values) {
        List<String> all = new ArrayList<>(List.of(values));
        all.add(SECRET);
        return Rendered.of(text(all.toArray(String[]::new)));
    }

    static Rendered renderedFrom(Path values) {
        return Rendered.of(textOf(values));
    }

    static Map<String, Object> yaml(Path file) {
        try {
            return Yamls.map(new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
