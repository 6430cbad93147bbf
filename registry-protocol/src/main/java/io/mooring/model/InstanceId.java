package io.mooring.model;

/**
 * Names an instance: where one copy of a service answers. Ordered by service, cluster, host, port; views list
 * their instances in this order.
 *
 * @param service what it is a copy of
 * @param cluster 1-64 letters, digits, {@code _ - .}; usually a data centre or {@value #DEFAULT_CLUSTER}
 * @param host an IP address (IPv6 without brackets) or host name, at most 253 characters
 * @param port 0-65535; at 0 nobody answers: such an instance is listed, but not called
 */
public record InstanceId(ServiceKey service, String cluster, String host, int port) implements Comparable<InstanceId> {
    public static final String DEFAULT_CLUSTER = "DEFAULT";

    /** @throws InvalidValueException when a part breaks its rule */
    public InstanceId {
        Names.cluster(cluster);
        Names.host(host);
        if (port < 0 || port > 65_535) {
            throw new InvalidValueException("port", port, "0-65535");
        }
    }

    /** This instance under an equal key, so that many instances can share one. */
    public InstanceId withService(ServiceKey shared) {
        return shared == service ? this : new InstanceId(shared, cluster, host, port);
    }

    /** {@code host:port}, with brackets around an IPv6 address. */
    public String address() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }

    @Override
    public int compareTo(InstanceId other) {
        int order = service == other.service ? 0 : service.compareTo(other.service);
        if (order == 0) {
            order = cluster == other.cluster ? 0 : cluster.compareTo(other.cluster);
        }
        if (order == 0) {
            order = host == other.host ? 0 : host.compareTo(other.host);
        }
        return order == 0 ? Integer.compare(port, other.port) : order;
    }

    @Override
    public int hashCode() {
        return (service.name().hashCode() * 31 + host.hashCode()) * 31 + port;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof InstanceId other
                && port == other.port
                && host.equals(other.host)
                && cluster.equals(other.cluster)
                && (service == other.service || service.equals(other.service));
    }

    @Override
    public String toString() {
        return service + "/" + cluster + "/" + address();
    }
}
