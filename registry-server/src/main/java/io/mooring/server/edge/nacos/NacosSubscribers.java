package io.mooring.server.edge.nacos;

import io.mooring.model.ServiceKey;
import java.util.List;

/** Who hears of changes to a service, for tools that show it. Any thread. */
public interface NacosSubscribers {
    /**
     * One of them.
     *
     * @param clientId how tools ask for it
     * @param ip where it is
     * @param port of the connection, or that it listens on
     * @param agent what it calls itself, as in {@code Nacos-Java-Client:v1.4.8}; may be empty
     * @param app the application's name; may be empty
     * @param clusters those it asked for, as in a query; empty for all
     */
    record Subscriber(String clientId, String ip, int port, String agent, String app, String clusters) {}

    /** Those at this node, in no order. */
    List<Subscriber> of(ServiceKey service);

    /** Nobody. */
    NacosSubscribers NONE = service -> List.of();
}
