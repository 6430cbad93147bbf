package io.mooring.server.edge.nacos;

import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The Nacos clients that are connected to this node, for tools that show them. Not on the event loop, for it is asked. */
public interface NacosConnections {
    /**
     * One of them.
     *
     * @param id as the client knows it
     * @param ip it comes from
     * @param port it comes from
     * @param agent what it calls itself, as in {@code Nacos-Java-Client:v2.5.1}; may be empty
     * @param app the application's name; may be empty
     * @param updatedAt when it last published or subscribed, in milliseconds since 1970
     * @param published in no order
     * @param subscribed in no order; once for each selection of clusters
     */
    record Client(
            String id,
            String ip,
            int port,
            String agent,
            String app,
            long updatedAt,
            List<InstanceId> published,
            List<ServiceKey> subscribed) {}

    /** In no order. */
    List<String> ids();

    Optional<Client> find(String id);

    /** Who of them publishes which instances of a service, by their ids. */
    Map<InstanceId, String> publishers(ServiceKey service);

    /**
     * Asks one to go elsewhere.
     *
     * @param host where to, of the client's own list; empty: wherever it likes
     * @return whether it is connected
     */
    boolean move(String id, String host);

    /** Nobody. */
    NacosConnections NONE = new NacosConnections() {
        @Override
        public List<String> ids() {
            return List.of();
        }

        @Override
        public Optional<Client> find(String id) {
            return Optional.empty();
        }

        @Override
        public Map<InstanceId, String> publishers(ServiceKey service) {
            return Map.of();
        }

        @Override
        public boolean move(String id, String host) {
            return false;
        }
    };
}
