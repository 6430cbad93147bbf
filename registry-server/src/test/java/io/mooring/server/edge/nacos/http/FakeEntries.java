package io.mooring.server.edge.nacos.http;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.DurableEntries;
import io.mooring.server.lease.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;

/** Keeps entries in memory, and what else it was asked to do. */
final class FakeEntries implements DurableEntries {
    final Map<ServiceKey, Settings> settings = new ConcurrentHashMap<>();
    final Map<InstanceId, Overlay> overlays = new ConcurrentHashMap<>();
    final List<String> asked = new CopyOnWriteArrayList<>();

    /** For a server that keeps its entries here. */
    static final class Configuration {
        @Bean
        @Primary
        FakeEntries fakeEntries() {
            return new FakeEntries();
        }
    }

    @Override
    public void putPersistent(Instance instance, Consumer<Outcome> reply) {
        asked.add("put " + instance.id());
        reply.accept(Outcome.ACCEPTED);
    }

    @Override
    public void removePersistent(InstanceId instance, Consumer<Outcome> reply) {
        asked.add("remove " + instance);
        reply.accept(Outcome.refused("unknown", "not there"));
    }

    @Override
    public void settings(ServiceKey service, UnaryOperator<Settings> change, Consumer<Outcome> reply) {
        settings.put(service, change.apply(settings.getOrDefault(service, Settings.NONE)));
        reply.accept(Outcome.ACCEPTED);
    }

    @Override
    public void deleteSettings(ServiceKey service, Consumer<Outcome> reply) {
        settings.remove(service);
        reply.accept(Outcome.ACCEPTED);
    }

    @Override
    public void override(InstanceId instance, UnaryOperator<Overlay> change, Consumer<Outcome> reply) {
        overlays.put(instance, change.apply(overlays.getOrDefault(instance, Overlay.NONE)));
        reply.accept(Outcome.ACCEPTED);
    }

    @Override
    public void reportHealth(InstanceId instance, boolean healthy, Consumer<Outcome> reply) {
        asked.add("health " + instance + " " + healthy);
        reply.accept(Outcome.ACCEPTED);
    }

    @Override
    public Optional<Settings> settings(ServiceKey service) {
        return Optional.ofNullable(settings.get(service));
    }

    @Override
    public List<ServiceKey> services() {
        return new ArrayList<>(new TreeMap<>(settings).keySet());
    }

    @Override
    public boolean isPersistent(InstanceId instance) {
        return instance.host().equals("10.9.9.9");
    }
}
