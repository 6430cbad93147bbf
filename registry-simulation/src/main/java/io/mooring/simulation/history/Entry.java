package io.mooring.simulation.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One thing that was recorded. As text it is one line, its fields separated by tabs, the first of them the kind; names hold
 * no tabs, commas or equals signs.
 *
 * <p>Whatever is asked about an instance gets a version of its own, higher than the one before, and is asked after the one
 * before was answered or its publisher ended: so a version names an act, and what a view shows of an instance says which
 * acts it knows of.
 */
public sealed interface Entry {
    /** When it was over, in nanoseconds of the recorder's clock. */
    long at();

    /** The one line. */
    String line();

    /**
     * A publisher asks for an instance to be listed with that version, or to be listed no more.
     *
     * @param instance what views call it, once in all services
     * @param listed false: a deregistration
     */
    record Asked(long at, String service, String instance, boolean listed, long version) implements Entry {
        @Override
        public String line() {
            return String.join("\t", "asked", text(at), service, instance, Boolean.toString(listed), text(version));
        }
    }

    /** The registry has confirmed what was asked. Without this nobody knows whether it took effect. */
    record Answered(long at, String instance, long version) implements Entry {
        @Override
        public String line() {
            return String.join("\t", "answered", text(at), instance, text(version));
        }
    }

    /** The publisher of that instance is no more; what it asked last is over within the bound for that end. */
    record Ended(long at, String instance, End end) implements Entry {
        @Override
        public String line() {
            return String.join("\t", "ended", text(at), instance, end.name());
        }
    }

    /** How a publisher ends. */
    enum End {
        /** Its connections break, and its address refuses others. */
        KILLED,
        /** Nothing more is heard of it, and nobody can tell why. */
        SILENT
    }

    /**
     * What a node or a subscriber showed of a service.
     *
     * @param from when the look began; equal to {@code at} for a view that was there
     * @param incomplete whether the observer said itself that it may not know everybody: absence then means nothing
     * @param twice instances that were listed more than once
     * @param versions version by instance; {@link #FABRICATED} for content that no publisher made
     */
    record Seen(
            long from,
            long at,
            String observer,
            String service,
            boolean incomplete,
            int twice,
            Map<String, Long> versions)
            implements Entry {
        public Seen {
            versions = Map.copyOf(versions);
        }

        @Override
        public String line() {
            List<String> listed = new ArrayList<>();
            new TreeMap<>(versions).forEach((instance, version) -> listed.add(instance + "=" + version));
            return String.join(
                    "\t",
                    "seen",
                    text(from),
                    text(at),
                    observer,
                    service,
                    Boolean.toString(incomplete),
                    Integer.toString(twice),
                    String.join(",", listed));
        }
    }

    /** Something was wrong on purpose in that time. Bounds count from its end. */
    record Fault(long from, long at, String what) implements Entry {
        @Override
        public String line() {
            return String.join("\t", "fault", text(from), text(at), what);
        }
    }

    /** Stands for content that does not fit its own checksum. */
    long FABRICATED = -1;

    /** @throws IllegalArgumentException when it is no entry */
    static Entry parse(String line) {
        String[] f = line.split("\t", -1);
        try {
            return switch (f[0]) {
                case "asked" -> new Asked(number(f[1]), f[2], f[3], Boolean.parseBoolean(f[4]), number(f[5]));
                case "answered" -> new Answered(number(f[1]), f[2], number(f[3]));
                case "ended" -> new Ended(number(f[1]), f[2], End.valueOf(f[3]));
                case "seen" ->
                    new Seen(
                            number(f[1]),
                            number(f[2]),
                            f[3],
                            f[4],
                            Boolean.parseBoolean(f[5]),
                            Integer.parseInt(f[6]),
                            versions(f[7]));
                case "fault" -> new Fault(number(f[1]), number(f[2]), f[3]);
                default -> throw new IllegalArgumentException("kind: " + f[0]);
            };
        } catch (ArrayIndexOutOfBoundsException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "history: " + line + " (expected: asked, answered, ended, seen or fault, and its fields)", e);
        }
    }

    private static Map<String, Long> versions(String field) {
        Map<String, Long> out = new TreeMap<>();
        for (String listed : field.isEmpty() ? List.<String>of() : List.of(field.split(","))) {
            int equals = listed.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException("versions: " + listed + " (expected: instance=version)");
            }
            out.put(listed.substring(0, equals), number(listed.substring(equals + 1)));
        }
        return out;
    }

    private static String text(long number) {
        return Long.toString(number);
    }

    private static long number(String text) {
        return Long.parseLong(text);
    }
}
