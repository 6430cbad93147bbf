package io.mooring.simulation.real;

import io.mooring.simulation.history.Bounds;
import io.mooring.simulation.history.Checker;
import io.mooring.simulation.history.Entry.End;
import io.mooring.simulation.history.Entry.Fault;
import io.mooring.simulation.history.History;
import io.mooring.simulation.history.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * One kind of fault, once, under a workload of its own on a cluster that is well: calm, fault, healed, calm, judged. A fault
 * that cannot prove that it happened makes the trial invalid, whatever was seen.
 */
enum Trial {
    /** SIGKILL of one node under load; it stays away a while and comes back with its disk. */
    KILL_ONE {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            int victim = stage.anyNode();
            boolean died = stage.cluster.node(victim).kill();
            Cluster.pass(stage.between(1_000, 5_000));
            stage.cluster.startAll(stage.random);
            return proof(died, "no node died of SIGKILL");
        }
    },
    /** The same, and its disk is lost. */
    KILL_ONE_AND_ITS_DISK {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            int victim = stage.anyNode();
            boolean died = stage.cluster.node(victim).kill();
            stage.cluster.node(victim).loseDisk();
            Cluster.pass(stage.between(200, 5_000));
            stage.cluster.startAll(stage.random);
            return proof(died, "no node died of SIGKILL");
        }
    },
    /** SIGKILL of all nodes at once; they come back in any order. */
    RESTART_ALL {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            return restartAll(stage, false);
        }
    },
    /** The same, with nothing left on any disk. */
    RESTART_ALL_EMPTY {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            return restartAll(stage, true);
        }
    },
    /** Nothing passes between one node and the others, clients excepted. */
    PARTITION {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            int alone = stage.anyNode();
            long before = stage.losses();
            for (int other = 0; other < stage.cluster.size(); other++) {
                if (other != alone) {
                    stage.cluster.terrain().cut(alone, other);
                    stage.cluster.terrain().cut(other, alone);
                }
            }
            Cluster.pass(stage.between(8_000, 20_000));
            long lost = stage.losses() - before;
            stage.cluster.terrain().heal();
            return proof(lost > 0, "nothing was lost between the nodes");
        }
    },
    /** What one node sends to another is lost; everything else passes. */
    ONE_WAY {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            int from = stage.anyNode();
            int to = (from + 1 + stage.random.nextInt(stage.cluster.size() - 1)) % stage.cluster.size();
            long before = stage.losses();
            stage.cluster.terrain().cut(from, to);
            Cluster.pass(stage.between(8_000, 15_000));
            long lost = stage.losses() - before;
            stage.cluster.terrain().heal();
            return proof(lost > 0, "nothing was lost between the nodes");
        }
    },
    /** SIGSTOP of one node, then SIGCONT. */
    PAUSE {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            ClusterNode victim = stage.cluster.node(stage.anyNode());
            victim.signal("STOP");
            Cluster.pass(stage.between(6_000, 20_000));
            boolean stopped = victim.isStopped();
            victim.signal("CONT");
            return proof(stopped, victim.name() + " was not stopped");
        }
    },
    /** SIGTERM: the node hands its sessions over and ends. */
    DRAIN {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            ClusterNode victim = stage.cluster.node(stage.anyNode());
            long start = System.nanoTime();
            boolean ended = victim.terminate(Duration.ofSeconds(40));
            double took = (System.nanoTime() - start) / 1e9;
            stage.note(String.format(Locale.ROOT, "drained in %.1f s", took));
            if (!ended || took > 30) {
                stage.blame(String.format(Locale.ROOT, "E4: %s took %.1f s to drain", victim.name(), took));
            }
            victim.close();
            Cluster.pass(stage.between(200, 3_000));
            stage.cluster.startAll(stage.random);
            return Optional.empty();
        }
    },
    /** Everything between the nodes is late by up to 300 ms. */
    LATE {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            return through(stage, Conduct.late(Duration.ofMillis(20), Duration.ofMillis(280)), Effect.DELAYED);
        }
    },
    /** Between the nodes pass 20 kB/s. */
    SLOW {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            return through(stage, Conduct.slow(20_000), Effect.SLOWED);
        }
    },
    /** The lines between the nodes are reset again and again, and what is dialled anew comes a byte at a time. */
    RESETS {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            Loopback terrain = stage.loopback();
            long before = terrain.count(Effect.RESET);
            long single = terrain.count(Effect.SINGLE);
            for (int i = 0; i < 12; i++) {
                int a = stage.anyNode();
                int b = (a + 1) % stage.cluster.size();
                terrain.between(a, b, i % 3 == 0 ? Conduct.ONE_BYTE : Conduct.CLEAR);
                terrain.reset(a, b);
                Cluster.pass(stage.between(200, 900));
            }
            terrain.heal();
            return proof(
                    terrain.count(Effect.RESET) > before && terrain.count(Effect.SINGLE) > single,
                    "no line was reset, or none was slow");
        }
    },
    /** Lines between the nodes break in the middle of a message. */
    CUTS {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            Loopback terrain = stage.loopback();
            long before = terrain.count(Effect.CUT);
            for (int i = 0; i < 10; i++) {
                int a = stage.anyNode();
                int b = (a + 1) % stage.cluster.size();
                terrain.between(a, b, Conduct.cut(200 + stage.random.nextInt(4_000)));
                Cluster.pass(stage.between(300, 1_200));
            }
            terrain.heal();
            return proof(terrain.count(Effect.CUT) > before, "no line was cut");
        }
    },
    /** Publishers die by SIGKILL, as the registry sees it, while one node dies too. */
    PUBLISHERS_AND_A_NODE_DIE {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            stage.workload.addMortals(3);
            boolean died = stage.cluster.node(stage.anyNode()).kill();
            stage.workload.killMortals(End.KILLED);
            Cluster.pass(stage.between(1_000, 4_000));
            stage.cluster.startAll(stage.random);
            return proof(died, "no node died of SIGKILL");
        }
    },
    /** The machine of one node loses power: nobody is told. */
    POWER_OFF {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            if (!stage.cluster.terrain().canUnplug()) {
                return Optional.of("not available: needs network namespaces");
            }
            int victim = stage.anyNode();
            stage.cluster.terrain().unplug(victim);
            boolean died = stage.cluster.node(victim).kill();
            Cluster.pass(stage.between(5_000, 20_000));
            stage.cluster.terrain().heal();
            stage.cluster.startAll(stage.random);
            return proof(died, "no node died of SIGKILL");
        }
    },
    /** The file system of one node is full for a while. */
    DISK_FULL {
        @Override
        Optional<String> disturb(Stage stage) throws IOException {
            ClusterNode victim = stage.cluster.node(stage.anyNode());
            victim.kill();
            if (!Commands.works(
                    "mount",
                    "-t",
                    "tmpfs",
                    "-o",
                    "size=256k",
                    "tmpfs",
                    victim.data().toString())) {
                stage.cluster.startAll(stage.random);
                return Optional.of("not available: mounting needs rights this user does not have");
            }
            try {
                Files.write(victim.data().resolve("ballast"), new byte[180_000]);
                stage.cluster.startAll(stage.random);
                boolean said = Cluster.within(
                        Duration.ofSeconds(40),
                        () -> victim.get("/v1/node", Duration.ofSeconds(2))
                                .orElse("")
                                .contains("No space left"));
                Files.delete(victim.data().resolve("ballast"));
                Cluster.pass(stage.between(1_000, 3_000));
                return proof(said, "the disk was never full");
            } finally {
                victim.kill();
                Commands.run("umount", "-l", victim.data().toString());
                stage.cluster.startAll(stage.random);
            }
        }
    };

    /** Those that are run in every build. */
    static final List<Trial> SHORT = List.of(KILL_ONE, RESTART_ALL, PARTITION, PAUSE, DRAIN);

    static final List<Trial> ALL = Collections.unmodifiableList(Arrays.asList(values()));

    /** What a trial has to work with. */
    static final class Stage {
        final Cluster cluster;
        final Workload workload;
        final Random random;
        private final List<String> notes = new ArrayList<>();
        private final List<String> blames = new ArrayList<>();

        Stage(Cluster cluster, Workload workload, Random random) {
            this.cluster = cluster;
            this.workload = workload;
            this.random = random;
        }

        int anyNode() {
            return random.nextInt(cluster.size());
        }

        Duration between(int fromMillis, int toMillis) {
            return Duration.ofMillis(fromMillis + random.nextInt(toMillis - fromMillis));
        }

        long losses() throws IOException {
            long sum = 0;
            for (int node = 0; node < cluster.size(); node++) {
                sum += cluster.terrain().losses(node);
            }
            return sum;
        }

        Loopback loopback() throws IOException {
            if (cluster.terrain() instanceof Loopback loopback) {
                return loopback;
            }
            throw new NotHereException("needs the proxies of loopback");
        }

        /** Something worth a word in the report. */
        void note(String what) {
            notes.add(what);
        }

        /** Something that must not be and that no history shows. */
        void blame(String what) {
            blames.add(what);
        }
    }

    /** The kind of fault does not exist on this terrain. */
    static final class NotHereException extends IOException {
        private static final long serialVersionUID = 1;

        NotHereException(String reason) {
            super("not available: " + reason);
        }
    }

    /**
     * What came of a trial.
     *
     * @param invalid why it says nothing; empty when it does
     * @param healedMillis from the end of the fault until digests were equal at all nodes
     */
    record Outcome(
            Trial trial,
            long seed,
            Optional<String> invalid,
            Verdict verdict,
            double faultMillis,
            double healedMillis,
            List<String> notes,
            List<String> blames) {
        boolean holds() {
            return invalid.isEmpty() && verdict.holds() && blames.isEmpty();
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%s, seed %d: %s; fault %.1f s, digests equal after %.1f s%s%s%n  %s",
                    trial,
                    seed,
                    invalid.map(why -> "INVALID: " + why).orElse(holds() ? "held" : "DID NOT HOLD"),
                    faultMillis / 1e3,
                    healedMillis / 1e3,
                    notes.isEmpty() ? "" : "; " + String.join("; ", notes),
                    blames.isEmpty() ? "" : "; " + String.join("; ", blames),
                    verdict);
        }
    }

    private static final Duration HEALED_WITHIN = Duration.ofSeconds(90);

    /**
     * Does the damage and undoes it; the workload goes on meanwhile.
     *
     * @return why the trial says nothing; empty when the fault is proved
     */
    abstract Optional<String> disturb(Stage stage) throws IOException;

    private static Optional<String> proof(boolean happened, String otherwise) {
        return happened ? Optional.empty() : Optional.of(otherwise);
    }

    private static Optional<String> restartAll(Stage stage, boolean empty) throws IOException {
        boolean died = true;
        for (ClusterNode node : stage.cluster.nodes()) {
            died &= node.kill();
        }
        for (ClusterNode node : stage.cluster.nodes()) {
            if (empty) {
                node.loseDisk();
            }
        }
        Cluster.pass(stage.between(100, 3_000));
        stage.cluster.startAll(stage.random);
        return proof(died, "not all nodes died of SIGKILL");
    }

    private static Optional<String> through(Stage stage, Conduct conduct, Effect effect) throws IOException {
        Loopback terrain = stage.loopback();
        long before = terrain.count(effect);
        for (int a = 0; a < stage.cluster.size(); a++) {
            for (int b = 0; b < stage.cluster.size(); b++) {
                terrain.between(a, b, conduct);
            }
        }
        Cluster.pass(stage.between(6_000, 10_000));
        long done = terrain.count(effect) - before;
        terrain.heal();
        stage.note(done + " bytes " + effect.name().toLowerCase(Locale.ROOT));
        return proof(done > 0, "no byte was " + effect.name().toLowerCase(Locale.ROOT));
    }

    /** When no node said any more that it may not know everybody. */
    private static long complete(Cluster cluster) {
        Cluster.within(
                HEALED_WITHIN.plusSeconds(1), () -> cluster.nodes().stream().noneMatch(ClusterNode::isIncomplete));
        return System.nanoTime();
    }

    /**
     * Runs it. Leaves the cluster well, and the history in {@code story} when it did not hold.
     *
     * @throws IOException when the cluster cannot be made well
     */
    Outcome run(Cluster cluster, Workload.Size size, Bounds bounds, long seed, Path story) throws IOException {
        Random random = new Random(seed);
        cluster.terrain().heal();
        cluster.startAll(random);
        History history = new History();
        String prefix = name().toLowerCase(Locale.ROOT).replace('_', '-') + "-" + Long.toHexString(System.nanoTime());
        try (Workload workload = new Workload(cluster, history, prefix, size, seed)) {
            workload.start();
            Stage stage = new Stage(cluster, workload, random);
            Cluster.pass(Duration.ofSeconds(1));
            long from = System.nanoTime();
            Optional<String> invalid;
            try {
                invalid = disturb(stage);
            } catch (NotHereException e) {
                invalid = Optional.of(String.valueOf(e.getMessage()));
            }
            long healed = System.nanoTime();
            CompletableFuture<Long> complete = CompletableFuture.supplyAsync(() -> complete(cluster));
            workload.rest();
            if (!Cluster.within(HEALED_WITHIN, cluster::digestsAreEqual)) {
                stage.blame("A7: digests differ " + HEALED_WITHIN.toSeconds() + " s after the fault");
            }
            double healedMillis = (System.nanoTime() - healed) / 1e6;
            workload.goOn();
            Cluster.pass(Duration.ofSeconds(2));
            workload.rest();
            if (!Cluster.within(HEALED_WITHIN, workload::converged)) {
                stage.blame("A7: not everybody showed everything " + HEALED_WITHIN.toSeconds() + " s after the fault");
            }
            double wellMillis = (System.nanoTime() - healed) / 1e6;
            stage.note(String.format(Locale.ROOT, "all seen after %.1f s", wellMillis / 1e3));
            long completeAt = complete.join();
            if (completeAt - healed > HEALED_WITHIN.toNanos()) {
                stage.blame("B10: a node is incomplete " + HEALED_WITHIN.toSeconds() + " s after the fault");
            }
            // A node that may not know everybody takes nobody off a list, so until then the fault goes on.
            history.add(new Fault(from, completeAt, name()));
            Cluster.pass(Duration.ofSeconds(1));
            workload.lookOnceMore();
            String complaints = workload.complaints();
            if (!complaints.isEmpty()) {
                stage.blame("clients complain: " + complaints);
            }
            if (invalid.isEmpty() && workload.acts() < 20) {
                invalid = Optional.of("only " + workload.acts() + " acts");
            }
            Outcome outcome = new Outcome(
                    this,
                    seed,
                    invalid,
                    Checker.check(history, bounds),
                    (healed - from) / 1e6,
                    healedMillis,
                    stage.notes,
                    stage.blames);
            if (!outcome.holds()) {
                history.write(story);
            }
            return outcome;
        }
    }
}
