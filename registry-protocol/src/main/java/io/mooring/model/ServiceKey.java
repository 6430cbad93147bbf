package io.mooring.model;

/**
 * Names a service: the namespace separates tenants, the group separates variants within a namespace.
 *
 * @param namespace 1-64 letters, digits, {@code _ - .}
 * @param group 1-128 letters, digits, {@code _ - . :}
 * @param name 1-512 visible ASCII characters; the first is not {@code @}, and there is no {@code @@} in it
 */
public record ServiceKey(String namespace, String group, String name) implements Comparable<ServiceKey> {
    public static final String DEFAULT_NAMESPACE = "public";
    public static final String DEFAULT_GROUP = "DEFAULT_GROUP";

    /** @throws InvalidValueException when a part breaks its rule */
    public ServiceKey {
        Names.namespace(namespace);
        Names.group(group);
        Names.service(name);
    }

    /** The service of that name in the default namespace and group. */
    public static ServiceKey of(String name) {
        return new ServiceKey(DEFAULT_NAMESPACE, DEFAULT_GROUP, name);
    }

    /** Checks a namespace that stands alone. @throws InvalidValueException when it breaks the rule */
    public static String checkedNamespace(String namespace) {
        return Names.namespace(namespace);
    }

    @Override
    public int compareTo(ServiceKey other) {
        int order = namespace.compareTo(other.namespace);
        if (order == 0) {
            order = group.compareTo(other.group);
        }
        return order == 0 ? name.compareTo(other.name) : order;
    }

    @Override
    public String toString() {
        return namespace + "/" + group + "/" + name;
    }
}
