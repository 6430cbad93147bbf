package io.mooring.simulation;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A process without the SDK: it keeps one instance by HTTP, with a lease of its own. Each request goes to whatever node
 * the load balancer before them chooses.
 */
final class LeaseProvider {
    final InstanceId id;
    private final World world;
    private final Duration ttl;
    private Optional<Instance> wanted = Optional.empty();
    private boolean alive;
    private boolean accepted;
    private int life;

    LeaseProvider(World world, InstanceId id, Duration ttl) {
        this.world = world;
        this.id = id;
        this.ttl = ttl;
    }

    /** The registry may have forgotten the latest; a careful process registers again after it was away. */
    void registryLostSomething() {
        accepted = false;
    }

    boolean isAlive() {
        return alive;
    }

    Optional<Instance> wanted() {
        return wanted;
    }

    /** Whether it has something to say that no node has accepted yet. */
    boolean isAboutToPut() {
        return wanted.isPresent() && !accepted;
    }

    private Duration way() {
        return Duration.ofNanos(200_000 + world.chance.nextInt(20_000_000));
    }

    void put() {
        Instance instance = world.oracle.made(new Instance(id, 1, true, world.labels(id, world.nextVersion(), 0)));
        world.coverage.did(wanted.isPresent() ? Operation.LEASE_UPDATE : Operation.LEASE_PUT);
        wanted = Optional.of(instance);
        accepted = false;
        world.oracle.asked(instance);
        if (!alive) {
            alive = true;
            renewLater(++life);
        }
        send(instance);
    }

    private void send(Instance instance) {
        int sentIn = life;
        Registry to = world.balanced();
        world.net.schedule(
                way(),
                () -> to.onLoop(node -> {
                    if (sentIn < life || !wanted.equals(Optional.of(instance))) {
                        return; // HTTP requests of one process come one after the other
                    }
                    world.trace.event(
                            world.time.now(),
                            id.address() + " puts at " + to.name + " "
                                    + instance.metadata().get("version"));
                    world.oracle.leasePut(instance, ttl, to);
                    node.put(instance, LeaseTerms.of(ttl), outcome -> {
                        if (outcome instanceof Outcome.Accepted) {
                            accepted |= wanted.equals(Optional.of(instance));
                            world.oracle.confirmed(id.host(), instance);
                        }
                    });
                }));
    }

    private void renewLater(int renewingLife) {
        world.net.schedule(ttl.dividedBy(3), () -> {
            if (renewingLife == life && alive) {
                renew();
                renewLater(renewingLife);
            }
        });
    }

    private void renew() {
        Optional<Instance> renewed = wanted;
        int sentIn = life;
        Registry to = world.balanced();
        world.net.schedule(
                way(),
                () -> to.onLoop(node -> {
                    if (sentIn != life || !renewed.equals(wanted) || renewed.isEmpty()) {
                        return;
                    }
                    world.coverage.did(Operation.LEASE_RENEW);
                    world.trace.event(world.time.now(), id.address() + " renews at " + to.name + " " + accepted);
                    if (!accepted) {
                        send(renewed.get());
                        return;
                    }
                    node.renew(List.of(id), unknown -> {
                        if (unknown.isEmpty() && (!world.isHealing() || lists(node, renewed.get()))) {
                            world.oracle.leaseRenewed(id, ttl, to);
                        } else if (sentIn == life && renewed.equals(wanted)) {
                            send(renewed.get());
                        }
                    });
                }));
    }

    /**
     * Of two contents that were put on two nodes which did not know of one another, one wins, whichever is later. Who cares
     * looks, and puts his again.
     */
    private boolean lists(RegistryNode node, Instance instance) {
        for (ListedInstance listed : node.view(id.service()).instances()) {
            if (listed.id().equals(id)) {
                return listed.instance().equals(instance) || world.isAmended(listed.instance());
            }
        }
        return false;
    }

    /** A renewal that was long on its way; it counts for nothing once the instance is gone. */
    void renewLate() {
        world.coverage.did(Operation.LEASE_LATE_RENEW);
        Registry to = world.balanced();
        world.net.schedule(
                Duration.ofSeconds(10 + world.chance.nextInt(50)),
                () -> to.onLoop(node -> node.renew(List.of(id), unknown -> {
                    if (unknown.isEmpty()) {
                        world.oracle.leaseRenewed(id, ttl, to);
                    } else {
                        world.coverage.effect(Effects.RENEW_UNKNOWN);
                    }
                })));
    }

    void remove() {
        world.coverage.did(Operation.LEASE_REMOVE);
        wanted = Optional.empty();
        alive = false;
        int removedIn = ++life;
        world.oracle.notWanted(id);
        Registry to = world.balanced();
        world.net.schedule(
                way(),
                () -> to.onLoop(node -> {
                    if (removedIn != life) {
                        return;
                    }
                    world.trace.event(world.time.now(), id.address() + " removes at " + to.name);
                    world.oracle.leaseRemoved(id);
                    node.remove(id, false, "http", outcome -> {
                        if (outcome instanceof Outcome.Accepted) {
                            world.oracle.leftConfirmed(id, Optional.of(to));
                        }
                    });
                }));
    }

    /** The process dies: nobody renews any more. */
    void die() {
        world.coverage.did(Operation.LEASE_FORGET);
        wanted = Optional.empty();
        alive = false;
        life++;
        world.oracle.notWanted(id);
    }
}
