package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import io.mooring.compatibility.Joint.Company;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** What all clients go through together, in this order. */
final class Joints {
    /** A node drains within 30 s: docs/operations.md. */
    private static final Duration STOPPED = Duration.ofSeconds(45);

    static final List<Joint> ALL = List.of(
            new Joint(
                    "seen by all other clients", Set.of(Ability.REGISTER, Ability.WATCH), Together::new, company -> {}),
            new Joint(
                    "restart of one node",
                    Set.of(Ability.REGISTER, Ability.WATCH),
                    (stage, company) -> OutagePart.of(stage, company.registry(), false),
                    company -> restartOne(company.registry())),
            new Joint(
                    "orderly stop of one node",
                    Set.of(Ability.REGISTER, Ability.WATCH),
                    (stage, company) -> OutagePart.of(stage, company.registry(), false),
                    company -> stopOne(company.registry())),
            new Joint(
                    "restart of all nodes",
                    Set.of(Ability.REGISTER, Ability.WATCH),
                    (stage, company) -> OutagePart.of(stage, company.registry(), false),
                    company -> restartAll(company.registry())),
            new Joint(
                    "restart of the only node, with users",
                    Set.of(Ability.REGISTER, Ability.WATCH, Ability.LOGIN),
                    (stage, company) -> OutagePart.of(stage, company.guarded(), true),
                    company -> restartAll(company.guarded())));

    private Joints() {}

    private static void restartOne(Registry registry) throws Exception {
        registry.node(0).kill();
        registry.node(0).start();
        registry.awaitReady();
    }

    private static void stopOne(Registry registry) throws Exception {
        if (!registry.node(1).stop(STOPPED)) {
            throw new AssertionError("the node still runs " + STOPPED.toSeconds() + " s after SIGTERM; it says:\n"
                    + registry.node(1).lastWords());
        }
        registry.node(1).start();
        registry.awaitReady();
    }

    private static void restartAll(Registry registry) throws Exception {
        for (NodeProcess node : registry.nodes()) {
            node.kill();
        }
        for (NodeProcess node : registry.nodes()) {
            node.start();
        }
        registry.awaitReady();
    }

    /** Every client publishes an instance of one service, and sees those of all others. */
    private static final class Together implements Joint.Part {
        private static final String SERVICE = "of-all-clients";

        private final Stage stage;
        private final Company company;
        private final Instance own;

        Together(Stage stage, Company company) throws Exception {
            this.stage = stage;
            this.company = company;
            this.own =
                    stage.place().metadata(java.util.Map.of("by", stage.client().name()));
            stage.consumer().watch(SERVICE, GROUP);
            stage.publisher(1).register(SERVICE, GROUP, own);
            company.published().add(own);
        }

        @Override
        public void judge() throws Exception {
            stage.looks("the instances of all clients", SERVICE, GROUP, Places.exactly(company.published()));
        }

        @Override
        public void leave() throws Exception {
            stage.publisher(1).deregister(SERVICE, GROUP, own);
            stage.looks("that all have left", SERVICE, GROUP, Places.exactly(List.of()));
            stage.consumer().unwatch(SERVICE, GROUP);
        }
    }
}
