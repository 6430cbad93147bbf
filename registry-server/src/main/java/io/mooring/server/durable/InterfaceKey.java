package io.mooring.server.durable;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import java.util.regex.Pattern;

/**
 * Names an interface that applications offer: a Java type, as a rule.
 *
 * @param namespace as of a {@link ServiceKey}
 * @param name 1-512 visible ASCII characters
 */
public record InterfaceKey(String namespace, String name) implements Comparable<InterfaceKey> {
    private static final Pattern NAME = Pattern.compile("[!-~]{1,512}");
    private static final Pattern APPLICATION = Pattern.compile("[!-+\\--~]{1,256}"); // no comma

    /** @throws InvalidValueException when a part breaks its rule */
    public InterfaceKey {
        ServiceKey.checkedNamespace(namespace);
        if (!NAME.matcher(name).matches()) {
            throw new InvalidValueException("interface", name, "1-512 visible ASCII characters");
        }
    }

    /** @throws InvalidValueException when it is no name of an application: 1-256 visible ASCII characters but the comma */
    public static String checkedApplication(String application) {
        if (!APPLICATION.matcher(application).matches()) {
            throw new InvalidValueException("application", application, "1-256 visible ASCII characters, no comma");
        }
        return application;
    }

    @Override
    public int compareTo(InterfaceKey other) {
        int order = namespace.compareTo(other.namespace);
        return order == 0 ? name.compareTo(other.name) : order;
    }

    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
