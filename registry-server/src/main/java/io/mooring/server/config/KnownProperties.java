package io.mooring.server.config;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * Finds properties under {@code mooring.} that nobody reads, before anything starts: a misspelt limit must not look
 * like one that is set. Spring's own check passes over system properties.
 *
 * <p>Environment variables are only warned about: an orchestrator adds {@code MOORING_SERVICE_HOST} and the like to the
 * containers next to a service of that name, and that must not keep a registry from starting.
 */
public final class KnownProperties {
    private static final Logger log = LoggerFactory.getLogger(KnownProperties.class);
    private static final String PREFIX = "mooring.";

    private KnownProperties() {}

    /** The names of all properties, {@code mooring.lease.ttl} and so on, in the order of the record; a new list. */
    public static List<String> names() {
        List<String> names = new ArrayList<>();
        collect(PREFIX, MooringProperties.class, names);
        return names;
    }

    private static void collect(String prefix, Class<?> type, List<String> names) {
        for (RecordComponent component : type.getRecordComponents()) {
            String name =
                    prefix + component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
            if (component.getType().isRecord()) {
                collect(name + ".", component.getType(), names);
            } else {
                names.add(name);
            }
        }
    }

    /** @throws StartRefusedException naming the first unknown one */
    static void check(ConfigurableEnvironment environment) {
        List<String> names = names();
        TreeSet<String> known = new TreeSet<>();
        names.forEach(name -> known.add(bare(name)));
        for (PropertySource<?> source : environment.getPropertySources()) {
            if (source instanceof EnumerablePropertySource<?> listed) {
                boolean fromShell =
                        source.getName().startsWith(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME);
                for (String name : listed.getPropertyNames()) {
                    if (isOurs(name, fromShell) && !known.contains(bare(name))) {
                        complain(name, source.getName(), fromShell, names);
                    }
                }
            }
        }
    }

    private static boolean isOurs(String name, boolean fromShell) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.startsWith(PREFIX) || fromShell && lower.startsWith("mooring_");
    }

    private static void complain(String name, String source, boolean fromShell, List<String> names) {
        String near = nearest(name, names);
        if (fromShell) {
            log.warn(
                    "The environment variable {} sets nothing{}", name, near.isEmpty() ? "" : "; did you mean " + near);
        } else {
            throw StartRefusedException.unknownProperty(name, " (in " + source + ")", near);
        }
    }

    /** Letters and digits: relaxed binding takes dashes, underscores and capitals as one likes. Lists have indexes. */
    private static String bare(String name) {
        return name.toLowerCase(Locale.ROOT).replaceFirst("\\[[0-9]+]$", "").replaceAll("[^a-z0-9]", "");
    }

    private static String nearest(String name, List<String> names) {
        record Near(String name, int distance) {}
        String wanted = bare(name);
        String last = bare(name.substring(name.lastIndexOf('.') + 1));
        return names.stream()
                .map(n -> new Near(
                        n,
                        Math.min(
                                distance(wanted, bare(n)),
                                distance(last, bare(n.substring(n.lastIndexOf('.') + 1))) + 2)))
                .filter(n -> n.distance() <= 1 + wanted.length() / 5)
                .min(Comparator.comparingInt(Near::distance))
                .map(Near::name)
                .orElse("");
    }

    /** Levenshtein's. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(diagonal + change, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
