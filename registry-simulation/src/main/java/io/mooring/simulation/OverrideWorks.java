package io.mooring.simulation;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.server.lease.Outcome;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Processes with a lease by HTTP, one after the other at the same few addresses, and operators who lay weights over them:
 * each weight is asked for once. It shows on the instance it was meant for, on whatever node, until that has left the list;
 * never on another process that comes to the address later.
 */
final class OverrideWorks {
    private static final ServiceKey SERVICE = ServiceKey.of("overridden");
    private static final Duration TTL = Duration.ofSeconds(8);
    private static final int PLACES = 2;

    /** In which all nodes agree that it is gone, and what lay over it. */
    private static final long GONE = Duration.ofSeconds(4).toNanos();

    /** In which what a node that died has left over is found. */
    private static final long LEFT_OVER = Duration.ofSeconds(90).toNanos();

    private final World world;
    private final SplittableRandom chance;
    private final List<Place> places = new ArrayList<>();
    private long processes;
    private int weights;

    /** An address, and the process that is there. */
    private static final class Place {
        final InstanceId id;
        Optional<Instance> process = Optional.empty();
        final Set<Double> asked = new HashSet<>();
        /** Those that were meant for a process that has left everybody's list. */
        final Set<Double> over = new HashSet<>();
        /**
         * Whether somebody listed it, and did not merely hold it, in the peace that still lasts: then its end is seen by who
         * has to do with it. Whoever removed what is held may have died since.
         */
        boolean listedInPeace;
        /** Since when, in peace, nobody lists it; empty while somebody does or there is no peace. */
        Optional<Long> absentSince = Optional.empty();
        /** What was accepted last, in peace, and not followed by another. */
        Optional<Double> last = Optional.empty();

        long lastAt;
        double newest;
        long newestAt;

        Place(InstanceId id, long now) {
            this.id = id;
            newestAt = now - LEFT_OVER;
        }
    }

    OverrideWorks(World world, SplittableRandom chance) {
        this.world = world;
        this.chance = chance;
        for (int i = 1; i <= PLACES; i++) {
            places.add(new Place(
                    new InstanceId(SERVICE, InstanceId.DEFAULT_CLUSTER, "10.8.0." + i, 80), world.time.now()));
        }
    }

    private Violation wrong(String what) {
        return world.fatal(new Violation("durable", what));
    }

    void begin() {
        places.forEach(this::renewLater);
    }

    private void renewLater(Place place) {
        world.net.schedule(TTL.dividedBy(4), () -> {
            renew(place);
            renewLater(place);
        });
    }

    private void renew(Place place) {
        place.process.ifPresent(process -> {
            Registry at = world.balanced();
            at.onLoop(node -> node.renew(List.of(place.id), unknown -> {
                if (!unknown.isEmpty() && place.process.equals(Optional.of(process))) {
                    put(at, place, process);
                }
            }));
        });
    }

    private void put(Registry at, Place place, Instance process) {
        at.onLoop(node -> {
            if (place.process.equals(Optional.of(process))) {
                node.put(process, LeaseTerms.of(TTL), outcome -> {});
            }
        });
    }

    void operate() {
        Place place = places.get(chance.nextInt(places.size()));
        int dice = chance.nextInt(6);
        if (place.process.isEmpty()) {
            Metadata labels = Metadata.of(Map.of("process", "p" + ++processes));
            Instance process = new Instance(place.id, 1, true, labels);
            place.process = Optional.of(process);
            put(world.balanced(), place, process);
        } else if (dice == 0) {
            place.process = Optional.empty(); // dies
            place.last = Optional.empty();
        } else if (dice == 1) {
            place.process = Optional.empty();
            place.last = Optional.empty();
            world.balanced().onLoop(node -> node.remove(place.id, false, "http", outcome -> {}));
        } else {
            override(place);
        }
    }

    private void override(Place place) {
        Registry at = world.registries.get(chance.nextInt(world.registries.size()));
        at.onLoop(node -> {
            double weight = 1_000 + ++weights;
            boolean alone = world.time.now() - place.newestAt > 2 * world.reach();
            place.asked.add(weight);
            place.newest = weight;
            place.newestAt = world.time.now();
            place.last = Optional.empty();
            world.coverage.did(Operation.OVERRIDE);
            world.trace.event(
                    world.time.now(),
                    "an operator: weight " + weight + " for " + place.id.address() + " at " + at.name);
            Optional<Instance> meant = place.process;
            node.override(place.id, was -> was.withWeight(weight), outcome -> {
                boolean last = alone && place.newest == weight && place.process.equals(meant);
                if (outcome instanceof Outcome.Accepted && last && isPeace()) {
                    place.last = meant.map(process -> weight);
                    place.lastAt = world.time.now();
                }
            });
        });
    }

    /** Some disk does not have any more what it had: what was over may come back with it. */
    void diskForgot() {
        places.forEach(place -> {
            place.over.clear();
            place.absentSince = Optional.empty();
            place.last = Optional.empty();
        });
    }

    /** All nodes are there, connected and able to write. */
    private boolean isPeace() {
        return (world.isSingle() || world.isCalm())
                && world.registries.stream()
                        .allMatch(node -> node.isUp()
                                && !node.isPaused()
                                && !node.isDraining()
                                && world.time.now() - node.witness.startedAt() > World.SETTLING
                                && node.node().durableStatus().problem().isEmpty()
                                && node.node().status().frozen().isEmpty());
    }

    void inspect() {
        boolean peace = isPeace();
        for (Place place : places) {
            Map<Registry, Instance> listed = new TreeMap<>((a, b) -> Integer.compare(a.index, b.index));
            boolean held = true;
            for (Registry node : world.registries) {
                Optional<ListedInstance> found = node.isUp() ? find(node, place) : Optional.empty();
                found.ifPresent(is -> listed.put(node, is.instance()));
                held &= found.isEmpty() || found.get().standing() == Standing.HELD;
            }
            listed.forEach((node, instance) -> right(place, node, instance));
            absent(place, peace && listed.isEmpty());
            place.listedInPeace = peace && (place.listedInPeace || !held);
            stays(place, peace, listed);
        }
    }

    private static Optional<ListedInstance> find(Registry node, Place place) {
        return node.node().view(SERVICE).instances().stream()
                .filter(listed -> listed.id().equals(place.id))
                .findFirst();
    }

    private void right(Place place, Registry node, Instance instance) {
        double weight = instance.weight();
        if (weight != 1 && !place.asked.contains(weight)) {
            throw wrong(node.name + " lists " + instance + " with a weight nobody asked for");
        }
        if (place.over.contains(weight)) {
            throw wrong(node.name + " lists " + instance + " with the override of one that was gone before");
        }
    }

    private void absent(Place place, boolean nowhere) {
        boolean idle = world.registries.stream().noneMatch(node -> node.disk.isBusy());
        if (!nowhere) {
            place.absentSince = Optional.empty();
        } else if (place.absentSince.isEmpty()) {
            place.absentSince = Optional.of(world.time.now());
        } else if (idle
                && world.time.now() - place.absentSince.get() > (place.listedInPeace ? GONE : LEFT_OVER)
                && place.over.addAll(place.asked)) {
            world.coverage.effect(Effects.OVERRIDES_OVER);
        }
    }

    /** In peace, what was accepted last shows while its process is there. */
    private void stays(Place place, boolean peace, Map<Registry, Instance> listed) {
        if (!peace || listed.size() < world.registries.size()) {
            place.last = Optional.empty();
        }
        place.last.ifPresent(weight -> listed.forEach((node, instance) -> {
            boolean late = world.time.now() - place.lastAt > world.reach() + 10_000_000_000L;
            if (late && instance.weight() != weight) {
                throw wrong(node.name + " lists " + instance + " without the override to " + weight);
            }
            world.coverage.effect(Effects.OVERRIDES, late ? 1 : 0);
        }));
    }

    int listed(Registry node) {
        return node.node().view(SERVICE).instances().size();
    }

    Optional<String> unsettled(List<Registry> nodes) {
        List<ListedInstance> first = nodes.get(0).node().view(SERVICE).instances();
        for (Registry node : nodes) {
            List<ListedInstance> here = node.node().view(SERVICE).instances();
            boolean right = here.size()
                    == places.stream()
                            .filter(place -> place.process.isPresent())
                            .count();
            right &= here.stream().noneMatch(listed -> listed.standing().inDoubt());
            if (!here.equals(first) || !right) {
                return Optional.of(
                        node.name + " lists of overridden ones " + here + "; " + nodes.get(0).name + " " + first);
            }
        }
        return Optional.empty();
    }
}
