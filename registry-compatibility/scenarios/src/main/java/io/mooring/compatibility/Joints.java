package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import io.mooring.compatibility.Joint.Company;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
                    "changes while clients reconnect",
                    Set.of(Ability.WATCH),
                    Away::new,
                    company -> changeWhileAway(company)),
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

    /** Most clients lose their node, and before they can be at another one everything is different. */
    private static void changeWhileAway(Company company) throws Exception {
        NodeProcess lasting = company.registry().node(2);
        company.registry().node(0).kill();
        company.registry().node(1).kill();
        for (String service : company.services()) {
            Away.request(lasting, "POST", service, Away.AFTER);
            Away.request(lasting, "DELETE", service, Away.BEFORE);
        }
        company.registry().node(0).start();
        company.registry().node(1).start();
        company.registry().awaitReady();
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

    /** A consumer of a service that others change. */
    private static final class Away implements Joint.Part {
        static final Instance BEFORE = Instance.at("127.9.9.1", 9_001);
        static final Instance AFTER = Instance.at("127.9.9.2", 9_002);

        private final Stage stage;
        private final NodeProcess node;
        private final String service;

        Away(Stage stage, Company company) throws Exception {
            this.stage = stage;
            this.node = company.registry().node(2);
            this.service = stage.service();
            request(node, "POST", service, BEFORE);
            stage.consumer().watch(service, GROUP);
            stage.looks("who is there", service, GROUP, seen -> addresses(seen).equals(List.of(BEFORE.address())));
            company.services().add(service);
        }

        private static List<String> addresses(Seen seen) {
            return seen.instances().stream().map(Instance::address).toList();
        }

        /** By a program that beats seldom. */
        static void request(NodeProcess node, String method, String service, Instance instance) throws Exception {
            node.request(
                    method,
                    "/nacos/v1/ns/instance",
                    Map.of(
                            "serviceName",
                            service,
                            "ip",
                            instance.ip(),
                            "port",
                            "" + instance.port(),
                            "metadata",
                            "preserved.heart.beat.timeout=900000,preserved.ip.delete.timeout=900000"));
        }

        @Override
        public void judge() throws Exception {
            Stage.looks(
                    stage.consumer(),
                    "who took its place meanwhile",
                    Stage.NOTICED,
                    service,
                    GROUP,
                    seen -> addresses(seen).equals(List.of(AFTER.address())));
        }

        @Override
        public void leave() throws Exception {
            request(node, "DELETE", service, AFTER);
            stage.consumer().unwatch(service, GROUP);
        }
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
            this.own = stage.place().metadata(Map.of("by", stage.client().name()));
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
            if (!stage.client().lacks().containsKey(Ability.EMPTIED)) {
                stage.looks("that all have left", SERVICE, GROUP, Places.exactly(List.of()));
            }
            stage.consumer().unwatch(SERVICE, GROUP);
        }
    }
}
