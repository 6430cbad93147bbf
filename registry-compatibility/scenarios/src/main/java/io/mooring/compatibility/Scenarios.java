package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;
import static io.mooring.compatibility.Stage.SOON;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** All that one client does by itself. */
final class Scenarios {
    static final List<Scenario> ALL = List.of(
            scenario("register and deregister", Scenarios::registered, Ability.REGISTER, Ability.LIST),
            scenario("push on add and remove", Scenarios::pushed, Ability.REGISTER, Ability.SUBSCRIBE));

    private Scenarios() {}

    private static Scenario scenario(String name, Scenario.Story story, Ability... needs) {
        return new Scenario(name, needs.length == 0 ? Set.of() : EnumSet.copyOf(List.of(needs)), story);
    }

    private static void registered(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place().cluster("blue").weight(2.5).metadata(Map.of("zone", "a", "version", "1.2"));
        stage.publisher(1).register(service, GROUP, instance);
        Await.until(
                "the registered instance is listed as it was said",
                SOON,
                () -> stage.consumer().list(service, GROUP),
                list -> list.equals(List.of(instance)));
        stage.publisher(1).deregister(service, GROUP, instance);
        Await.until("it is gone", SOON, () -> stage.consumer().list(service, GROUP), List::isEmpty);
    }

    private static void pushed(Stage stage) throws Exception {
        String service = stage.service();
        Instance first = stage.place();
        Instance second = stage.place();
        stage.publisher(1).register(service, GROUP, first);
        stage.consumer().subscribe(service, GROUP);
        stage.consumer()
                .hears(
                        "the first",
                        SOON,
                        service,
                        GROUP,
                        seen -> addresses(seen).equals(Set.of(first.address())));
        stage.publisher(2).register(service, GROUP, second);
        stage.consumer()
                .hears(
                        "both",
                        SOON,
                        service,
                        GROUP,
                        seen -> addresses(seen).equals(Set.of(first.address(), second.address())));
        stage.publisher(1).deregister(service, GROUP, first);
        stage.consumer()
                .hears(
                        "the second alone",
                        SOON,
                        service,
                        GROUP,
                        seen -> addresses(seen).equals(Set.of(second.address())));
        stage.publisher(2).deregister(service, GROUP, second);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static Set<String> addresses(Seen seen) {
        return seen.instances().stream().map(Instance::address).collect(java.util.stream.Collectors.toSet());
    }
}
