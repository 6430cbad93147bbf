package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;

/**
 * Which services are watched: {@code namespace>>group>>service}. The namespace is exact; group and service are exact, or have
 * a {@code *} at the beginning, the end, or both, for any text.
 *
 * <p>Java clients of 3.1 write {@code .*} where they mean any service. It is taken at its word, as by their own servers: such a
 * client compares the names of what changes with the pattern itself, and would hear of no change.
 *
 * @param text as the client wrote it
 */
record ServicePattern(String text, String namespace, String group, String service) {
    private static final String BETWEEN = ">>";
    private static final int LONGEST = 1_024;

    /** @throws InvalidValueException when it is none */
    static ServicePattern parse(String text) {
        String[] parts = text.split(BETWEEN, -1);
        if (parts.length != 3 || text.length() > LONGEST || parts[1].isEmpty() || parts[2].isEmpty()) {
            throw new InvalidValueException(
                    "groupKeyPattern", text, "namespace>>group>>service of at most " + LONGEST + " characters");
        }
        return new ServicePattern(text, ServiceKey.checkedNamespace(parts[0]), parts[1], parts[2]);
    }

    boolean matches(ServiceKey key) {
        return key.namespace().equals(namespace) && matches(group, key.group()) && matches(service, key.name());
    }

    private static boolean matches(String pattern, String text) {
        boolean open = pattern.startsWith("*");
        boolean ends = pattern.length() > 1 && pattern.endsWith("*");
        String wanted = pattern.substring(open ? 1 : 0, pattern.length() - (ends ? 1 : 0));
        if (open && ends) {
            return text.contains(wanted);
        }
        return open ? text.endsWith(wanted) : ends ? text.startsWith(wanted) : text.equals(wanted);
    }
}
