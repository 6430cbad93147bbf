package io.mooring.simulation;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Operators who settle things, at whatever node, and what the nodes may therefore show of persistent instances and of the
 * settings of services. They have services of their own. Some seeds only: in the others nobody ever says anything durable,
 * and the nodes must not either.
 */
final class DurableWorks {
    private static final ServiceKey SETTLED = ServiceKey.of("settled");
    private static final int INSTANCES = 4;
    private static final int SERVICES = 2;

    private final World world;
    private final SplittableRandom chance;
    private final boolean active;
    private final Duration every;
    private final DurableHistory history = new DurableHistory();
    private final OverrideWorks overrides;
    /** In which life the disk had written everything when it was looked at last. */
    private final Map<Registry, Integer> finely = new HashMap<>();

    private long versions;

    DurableWorks(World world, SplittableRandom chance) {
        this.world = world;
        this.chance = chance;
        active = world.options.clients() == 0 && chance.nextInt(3) == 0;
        every = Duration.ofMillis(200 + chance.nextInt(6_000));
        overrides = new OverrideWorks(world, chance.split());
    }

    private Violation wrong(String what) {
        return world.fatal(new Violation("durable", what));
    }

    void begin() {
        if (active) {
            world.net.schedule(every, this::operate);
            overrides.begin();
        }
    }

    boolean isActive() {
        return active;
    }

    private static InstanceId id(int number) {
        return new InstanceId(SETTLED, InstanceId.DEFAULT_CLUSTER, "10.7.0." + number, 80);
    }

    private static ServiceKey service(int number) {
        return ServiceKey.of("with-settings-" + number);
    }

    private void operate() {
        if (world.isHealing()) {
            return;
        }
        world.net.schedule(Duration.ofNanos(1 + chance.nextLong(2 * every.toNanos())), this::operate);
        Registry at = world.registries.get(chance.nextInt(world.registries.size()));
        int dice = chance.nextInt(10);
        if (dice < 4) {
            put(at, id(1 + chance.nextInt(INSTANCES)));
        } else if (dice < 6) {
            remove(at, id(1 + chance.nextInt(INSTANCES)));
        } else if (dice < 8) {
            settle(at, service(1 + chance.nextInt(SERVICES)), chance.nextInt(3) == 0);
        } else {
            overrides.operate();
        }
    }

    private void put(Registry at, InstanceId id) {
        String version = "v" + ++versions;
        Instance instance = new Instance(id, 1, true, Metadata.of(Map.of("version", version)));
        ask(Operation.PERSISTENT_PUT, at, id.address(), version, (node, reply) -> node.putPersistent(instance, reply));
    }

    private void remove(Registry at, InstanceId id) {
        ask(Operation.PERSISTENT_REMOVE, at, id.address(), "", (node, reply) -> node.removePersistent(id, reply));
    }

    private void settle(Registry at, ServiceKey service, boolean delete) {
        String version = delete ? "" : "v" + ++versions;
        ask(Operation.SETTLE, at, service.name(), version, (node, reply) -> {
            if (delete) {
                node.deleteSettings(service, reply);
            } else {
                node.settings(
                        service,
                        was -> ServiceSettings.DEFAULTS.withMetadata(Metadata.of(Map.of("version", version))),
                        reply);
            }
        });
    }

    private interface Request {
        void to(RegistryNode node, Consumer<Outcome> reply);
    }

    private void ask(Operation operation, Registry at, String key, String value, Request request) {
        at.onLoop(node -> {
            world.coverage.did(operation);
            world.trace.event(
                    world.time.now(), "an operator: " + operation + " " + key + " " + value + " at " + at.name);
            int life = at.witness.life();
            // Removing what is not there writes nothing, and is above nothing that is on its way to this node.
            boolean perhapsNothing =
                    value.isEmpty() && shown(at).getOrDefault(key, "").isEmpty();
            DurableHistory.Said asked = history.asked(key, value, at);
            request.to(node, outcome -> {
                if (at.witness.life() != life || !at.isUp()) {
                    return; // nobody is there any more who could have said so
                }
                if (outcome instanceof Outcome.Refused refused) {
                    world.coverage.effect(Effects.DURABLE_REFUSED);
                    world.trace.event(world.time.now(), key + " " + value + " is refused: " + refused.message());
                    if (!refused.code().equals("not_durable")) {
                        history.refused(asked);
                    }
                    return;
                }
                world.coverage.effect(Effects.DURABLE);
                world.trace.event(world.time.now(), key + " " + value + " is accepted");
                if (!perhapsNothing) {
                    history.acknowledged(asked);
                    world.promised(at, chance);
                }
                look(at);
            });
        });
    }

    // ---- what nodes show

    void died(Registry node) {
        history.died(node);
    }

    /** The machine lost its power: what was forced is still there. */
    void tailCut(Registry node) {
        history.died(node);
        overrides.diskForgot();
    }

    void diskLost(Registry node) {
        history.forgot(node);
        overrides.diskForgot();
    }

    /** A node has started, with what its disk has. */
    void started(Registry node) {
        if (active && world.registries.contains(node)) {
            look(node);
        }
    }

    /** Now and then. */
    void inspect() {
        if (active) {
            world.registries.forEach(this::look);
            overrides.inspect();
        }
    }

    private void look(Registry node) {
        if (!node.isUp()) {
            return;
        }
        boolean fine =
                !node.disk.isBusy() && node.node().durableStatus().problem().isEmpty();
        boolean written = fine && finely.getOrDefault(node, -1) == node.witness.life();
        finely.put(node, fine ? node.witness.life() : -1);
        shown(node).forEach((key, value) -> {
            history.wrong(key, value, node).ifPresent(what -> {
                throw wrong(what);
            });
            if (written) {
                history.seen(key, value, node);
            }
        });
    }

    /** What a node shows under every key that was ever written; nothing is an empty value. */
    private Map<String, String> shown(Registry node) {
        Map<String, String> shown = new TreeMap<>();
        history.keys().forEach(key -> shown.put(key, ""));
        for (Instance instance : node.node().persistent(SETTLED)) {
            shown.put(instance.address(), String.valueOf(instance.metadata().get("version")));
        }
        for (ServiceKey service : node.node().servicesWithSettings("public")) {
            ServiceSettings settings = node.node().settings(service).orElseThrow();
            shown.put(service.name(), String.valueOf(settings.metadata().get("version")));
        }
        return shown;
    }

    /** Instances in views that are not the world's. */
    int listed(Registry node) {
        return node.node().view(SETTLED).instances().size() + overrides.listed(node);
    }

    /** Those of them that have a lease. */
    int listedLeases(Registry node) {
        return overrides.listed(node);
    }

    /** What is not as it should be in the end. */
    Optional<String> unsettled(List<Registry> nodes) {
        if (!active) {
            for (Registry node : nodes) {
                if (node.node().durableStatus().values()
                                + node.node().durableStatus().deletions()
                        > 0) {
                    throw wrong(node.name + " has durable entries though nobody ever wrote one");
                }
            }
            return Optional.empty();
        }
        long checksum = nodes.get(0).node().durableStatus().checksum();
        for (Registry node : nodes) {
            if (node.node().durableStatus().checksum() != checksum) {
                return Optional.of(node.name + " has other durable entries than " + nodes.get(0).name);
            }
            List<ListedInstance> view = node.node().view(SETTLED).instances();
            List<ListedInstance> should = new ArrayList<>();
            node.node().persistent(SETTLED).forEach(each -> should.add(new ListedInstance(each, Standing.LIVE)));
            if (!view.equals(should)) {
                return Optional.of(node.name + " lists " + World.shown(view) + " instead of " + World.shown(should));
            }
        }
        Optional<String> ofOverrides = overrides.unsettled(nodes);
        if (ofOverrides.isPresent()) {
            return ofOverrides;
        }
        for (Registry node : nodes) {
            shown(node)
                    .forEach((key, value) -> history.wrong(key, value, nodes).ifPresent(what -> {
                        throw wrong(what);
                    }));
        }
        world.coverage.effect(Effects.DURABLE_EQUAL);
        return Optional.empty();
    }
}
