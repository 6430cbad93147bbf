package io.mooring.server.edge.nacos;

import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The names of Nacos clients and ours: what is absent or empty has its default, and a service may come bare or with its
 * group, {@code group@@service}.
 */
public final class NacosNames {
    private static final String BETWEEN = "@@";

    private NacosNames() {}

    /**
     * @param namespace null or empty: {@code public}
     * @param group null or empty: {@code DEFAULT_GROUP}; counts only if {@code name} brings none
     * @param name bare or grouped
     * @throws InvalidValueException when a part is missing or breaks its rule, in the words of Nacos clients
     */
    public static ServiceKey service(@Nullable String namespace, @Nullable String group, @Nullable String name) {
        if (name == null || name.isEmpty()) {
            throw new InvalidValueException("serviceName", "", "the name of a service");
        }
        int between = name.indexOf(BETWEEN);
        String bare = between < 0 ? name : name.substring(between + BETWEEN.length());
        String ofGroup = between > 0 ? name.substring(0, between) : group;
        try {
            return new ServiceKey(namespace(namespace), group(ofGroup), bare);
        } catch (InvalidValueException e) {
            throw inTheirWords(e);
        }
    }

    /**
     * @param cluster null or empty: {@code DEFAULT}
     * @throws InvalidValueException when a part breaks its rule, in the words of Nacos clients
     */
    public static InstanceId instance(ServiceKey service, @Nullable String cluster, String ip, int port) {
        try {
            return new InstanceId(service, cluster(cluster), ip, port);
        } catch (InvalidValueException e) {
            throw inTheirWords(e);
        }
    }

    /** The complaint with the field called as Nacos clients call it. */
    static InvalidValueException inTheirWords(InvalidValueException e) {
        String field = switch (e.field()) {
            case "namespace" -> "namespaceId";
            case "group" -> "groupName";
            case "service" -> "serviceName";
            case "cluster" -> "clusterName";
            case "host" -> "ip";
            default -> e.field();
        };
        return field.equals(e.field()) ? e : new InvalidValueException(field, e.value(), e.expected());
    }

    /** @param namespace null or empty: {@code public} */
    public static String namespace(@Nullable String namespace) {
        return namespace == null || namespace.isEmpty() ? ServiceKey.DEFAULT_NAMESPACE : namespace;
    }

    /** @param group null or empty: {@code DEFAULT_GROUP} */
    public static String group(@Nullable String group) {
        return group == null || group.isEmpty() ? ServiceKey.DEFAULT_GROUP : group;
    }

    /** @param cluster null or empty: {@code DEFAULT} */
    public static String cluster(@Nullable String cluster) {
        return cluster == null || cluster.isEmpty() ? InstanceId.DEFAULT_CLUSTER : cluster;
    }

    /** The clusters of a list such as {@code c1,c2}; none means all. */
    public static Set<String> clusters(@Nullable String list) {
        Set<String> clusters = new LinkedHashSet<>(4);
        if (list != null && !list.isEmpty()) {
            for (String cluster : list.split(",")) {
                if (!cluster.isBlank()) {
                    clusters.add(cluster.strip());
                }
            }
        }
        return clusters;
    }

    /** {@code group@@service}. */
    public static String grouped(ServiceKey service) {
        return service.group() + BETWEEN + service.name();
    }

    /** What Nacos calls an instance: {@code ip#port#cluster#group@@service}. */
    public static String instanceId(InstanceId id) {
        return id.host() + '#' + id.port() + '#' + id.cluster() + '#' + grouped(id.service());
    }
}
