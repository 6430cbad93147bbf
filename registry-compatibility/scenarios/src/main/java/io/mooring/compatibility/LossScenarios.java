package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import java.util.List;
import java.util.Set;

/** How publishers go. */
final class LossScenarios {
    static final List<Scenario> ALL = List.of(
            new Scenario("orderly stop of the client", Set.of(Ability.CLOSE, Ability.WATCH), LossScenarios::stop),
            new Scenario("kill of the client", Set.of(Ability.WATCH), LossScenarios::kill));

    private LossScenarios() {}

    private static void stop(Stage stage) throws Exception {
        String service = stage.service();
        Instance stays = stage.place();
        Instance goes = stage.place();
        Naming leaving = stage.open("publisher", "");
        stage.publisher(1).register(service, GROUP, stays);
        leaving.register(service, GROUP, goes);
        stage.consumer().watch(service, GROUP);
        stage.looks("both", service, GROUP, Places.exactly(List.of(stays, goes)));
        leaving.deregister(service, GROUP, goes);
        leaving.close();
        stage.looks("who stays", service, GROUP, Places.exactly(List.of(stays)));
        stage.consumer().unwatch(service, GROUP);
        stage.publisher(1).deregister(service, GROUP, stays);
    }

    /** SIGKILL: nobody says goodbye. One of its addresses refuses connections from then on, at the other somebody answers. */
    private static void kill(Stage stage) throws Exception {
        String refused = stage.service();
        String answered = stage.service();
        List<Instance> stay = List.of(stage.place(), stage.place());
        Instance refusing = stage.place();
        Instance answering = stage.place();
        Driver process = stage.process("victim");
        Naming victim = stage.open(process, "victim");
        for (int i = 1; i <= 2; i++) { // so that one of three is lost, which is believed
            stage.publisher(i).register(refused, GROUP, stay.get(i - 1));
            stage.publisher(i).register(answered, GROUP, stay.get(i - 1));
        }
        victim.register(refused, GROUP, refusing);
        victim.register(answered, GROUP, answering);
        stage.consumer().watch(refused, GROUP);
        stage.consumer().watch(answered, GROUP);
        stage.looks("three", refused, GROUP, seen -> seen.instances().size() == 3);
        stage.looks("three", answered, GROUP, seen -> seen.instances().size() == 3);
        process.kill();
        stage.ports().close(refusing);
        stage.looksInTime("who is left", refused, GROUP, Places.exactly(stay));
        stage.looksInTime("who is left", answered, GROUP, Places.exactly(stay));
        for (String service : List.of(refused, answered)) {
            for (Seen seen : stage.consumer().seen("watch", service, GROUP)) {
                if (seen.instances().size() == 3 && seen.healthy() < 2) {
                    throw new AssertionError("one of three died, and a consumer was told: " + seen);
                }
            }
            stage.consumer().unwatch(service, GROUP);
            stage.publisher(1).deregister(service, GROUP, stay.get(0));
            stage.publisher(2).deregister(service, GROUP, stay.get(1));
        }
    }
}
