package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What a publisher says must be what everybody is told. */
final class PublishScenarios {
    static final List<Scenario> ALL = List.of(
            new Scenario("register and deregister", Set.of(Ability.REGISTER, Ability.LIST), PublishScenarios::register),
            new Scenario("batch", Set.of(Ability.BATCH, Ability.SUBSCRIBE), PublishScenarios::batch),
            new Scenario("update", Set.of(Ability.UPDATE, Ability.SUBSCRIBE), PublishScenarios::update),
            new Scenario("metadata", Set.of(Ability.METADATA, Ability.LIST), PublishScenarios::metadata),
            new Scenario(
                    "metadata by an operator", Set.of(Ability.METADATA, Ability.SUBSCRIBE), PublishScenarios::labels),
            new Scenario("weight by an operator", Set.of(Ability.WEIGHT, Ability.SUBSCRIBE), PublishScenarios::weight),
            new Scenario("enable and disable", Set.of(Ability.ENABLED, Ability.SUBSCRIBE), PublishScenarios::enabled),
            new Scenario(
                    "persistent instance", Set.of(Ability.PERSISTENT, Ability.CLOSE), PublishScenarios::persistent),
            new Scenario("groups", Set.of(Ability.GROUPS, Ability.SUBSCRIBE), PublishScenarios::groups),
            new Scenario("clusters", Set.of(Ability.CLUSTERS, Ability.SUBSCRIBE), PublishScenarios::clusters),
            new Scenario("namespaces", Set.of(Ability.NAMESPACES, Ability.LIST), PublishScenarios::namespaces),
            new Scenario(
                    "names with odd characters",
                    Set.of(Ability.ODD_NAMES, Ability.SUBSCRIBE),
                    PublishScenarios::oddNames),
            new Scenario(
                    "names that are refused", Set.of(Ability.REFUSED, Ability.LIST), PublishScenarios::refusedNames));

    private PublishScenarios() {}

    private static void register(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place().cluster("blue").weight(2.5).metadata(Map.of("zone", "a", "version", "1.2"));
        stage.publisher(1).register(service, GROUP, instance);
        stage.lists("the instance as it was registered", service, GROUP, List.of(instance)::equals);
        stage.publisher(1).deregister(service, GROUP, instance);
        stage.lists("nothing", service, GROUP, List::isEmpty);
    }

    private static void batch(Stage stage) throws Exception {
        String service = stage.service();
        List<Instance> five = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            five.add(stage.place().metadata(Map.of("number", "" + i)));
        }
        stage.consumer().subscribe(service, GROUP);
        stage.publisher(1).batchRegister(service, GROUP, five);
        stage.hears("all five in one step", service, GROUP, Places.exactly(five));
        for (Seen seen : stage.consumer().seen("event", service, GROUP)) {
            if (!seen.instances().isEmpty() && seen.instances().size() != 5) {
                throw new AssertionError("a part of a batch was told: " + seen);
            }
        }
        stage.publisher(1).batchDeregister(service, GROUP, five.subList(0, 2));
        stage.hears("what is left", service, GROUP, Places.exactly(five.subList(2, 5)));
        List<Instance> others = List.of(five.get(4), stage.place());
        stage.publisher(1).batchRegister(service, GROUP, others);
        stage.hears("the batch that took its place", service, GROUP, Places.exactly(others));
        stage.publisher(1).batchDeregister(service, GROUP, others);
        stage.lists("nothing", service, GROUP, List::isEmpty);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void update(Stage stage) throws Exception {
        String service = stage.service();
        Instance before = stage.place().metadata(Map.of("version", "1"));
        Instance after = before.weight(3).metadata(Map.of("version", "2", "more", "yes"));
        stage.publisher(1).register(service, GROUP, before);
        stage.consumer().subscribe(service, GROUP);
        stage.hears("the first version", service, GROUP, Places.exactly(List.of(before)));
        stage.publisher(1).register(service, GROUP, after);
        stage.hears("the second in its place", service, GROUP, Places.exactly(List.of(after)));
        stage.lists("the second alone", service, GROUP, list -> Places.same(list, List.of(after)));
        stage.publisher(1).deregister(service, GROUP, after);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void metadata(Stage stage) throws Exception {
        String service = stage.service();
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("empty", "");
        metadata.put("list", "a,b=c&d;e f+g%20h");
        metadata.put("json", "{\"quoted\":[\"back\\\\slash\"]}");
        metadata.put("\u0433\u043e\u0440\u043e\u0434", "\u041c\u043e\u0441\u043a\u0432\u0430 \u2603 \uD83D\uDE80");
        metadata.put("dotted.name_with-all/kinds", "<&'>");
        metadata.put("long", "x".repeat(1_000));
        Instance instance = stage.place().metadata(metadata);
        stage.publisher(1).register(service, GROUP, instance);
        stage.lists("the same metadata", service, GROUP, list -> Places.same(list, List.of(instance)));
        stage.publisher(1).deregister(service, GROUP, instance);
    }

    private static void labels(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place().metadata(Map.of("version", "1"));
        stage.publisher(1).register(service, GROUP, instance);
        stage.consumer().subscribe(service, GROUP);
        stage.hears("the instance", service, GROUP, Places.exactly(List.of(instance)));
        Instance said = instance.metadata(Map.of("version", "1", "lane", "canary"));
        stage.amend(service, said);
        stage.hears("what the operator said", service, GROUP, Places.exactly(List.of(said)));
        stage.publisher(1).deregister(service, GROUP, instance);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void weight(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place().weight(0.5);
        Instance other = stage.place();
        stage.publisher(1).register(service, GROUP, instance);
        stage.consumer().subscribe(service, GROUP);
        stage.hears("its weight", service, GROUP, Places.exactly(List.of(instance)));
        stage.amend(service, instance.weight(7));
        stage.hears("the operator's weight", service, GROUP, Places.exactly(List.of(instance.weight(7))));
        stage.publisher(2).register(service, GROUP, other);
        stage.publisher(1).register(service, GROUP, instance); // as a client does that has reconnected
        stage.hears("that weight still", service, GROUP, Places.exactly(List.of(instance.weight(7), other)));
        stage.lists("it too", service, GROUP, list -> Places.same(list, List.of(instance.weight(7), other)));
        stage.publisher(1).deregister(service, GROUP, instance);
        stage.publisher(2).deregister(service, GROUP, other);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void enabled(Stage stage) throws Exception {
        String service = stage.service();
        Instance first = stage.place();
        Instance second = stage.place();
        stage.publisher(1).register(service, GROUP, first);
        stage.publisher(2).register(service, GROUP, second.enabled(false));
        stage.consumer().subscribe(service, GROUP);
        stage.hears("the enabled one", service, GROUP, Places.exactly(List.of(first)));
        stage.publisher(2).register(service, GROUP, second);
        stage.hears("both", service, GROUP, Places.exactly(List.of(first, second)));
        stage.amend(service, first.enabled(false));
        stage.hears("the other alone", service, GROUP, Places.exactly(List.of(second)));
        stage.lists("the other alone", service, GROUP, list -> Places.same(list, List.of(second)));
        stage.amend(service, first);
        stage.hears("both again", service, GROUP, Places.exactly(List.of(first, second)));
        stage.publisher(1).deregister(service, GROUP, first);
        stage.publisher(2).deregister(service, GROUP, second);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void persistent(Stage stage) throws Exception {
        String stays = stage.service();
        String goes = stage.service();
        Instance kept = stage.place().persistent();
        Instance left = stage.place();
        Naming publisher = stage.open("publisher", "");
        publisher.register(stays, GROUP, kept);
        publisher.register(goes, GROUP, left);
        stage.lists("the ephemeral one", goes, GROUP, list -> Places.same(list, List.of(left)));
        publisher.deregister(goes, GROUP, left);
        publisher.close();
        stage.lists("nothing", goes, GROUP, List::isEmpty);
        stage.lists("the persistent one without its publisher", stays, GROUP, list -> Places.same(list, List.of(kept)));
        stage.publisher(1).deregister(stays, GROUP, kept);
        stage.lists("nothing", stays, GROUP, List::isEmpty);
    }

    private static void groups(Stage stage) throws Exception {
        String service = stage.service();
        Instance here = stage.place();
        Instance there = stage.place();
        stage.consumer().subscribe(service, "G-1");
        stage.consumer().subscribe(service, "G-2");
        stage.publisher(1).register(service, "G-1", here);
        stage.publisher(1).register(service, "G-2", there);
        stage.hears("its own", service, "G-1", Places.exactly(List.of(here)));
        stage.hears("its own", service, "G-2", Places.exactly(List.of(there)));
        stage.lists("its own", service, "G-1", list -> Places.same(list, List.of(here)));
        stage.lists("its own", service, "G-2", list -> Places.same(list, List.of(there)));
        stage.lists("nothing", service, GROUP, List::isEmpty);
        stage.publisher(1).deregister(service, "G-1", here);
        stage.lists("nothing", service, "G-1", List::isEmpty);
        stage.lists("the other group as before", service, "G-2", list -> Places.same(list, List.of(there)));
        stage.publisher(1).deregister(service, "G-2", there);
        stage.consumer().unsubscribe(service, "G-1");
        stage.consumer().unsubscribe(service, "G-2");
    }

    private static void clusters(Stage stage) throws Exception {
        String service = stage.service();
        Instance east = stage.place().cluster("east");
        Instance west = stage.place().cluster("west-2");
        stage.publisher(1).register(service, GROUP, east);
        stage.publisher(2).register(service, GROUP, west);
        stage.lists("both", service, GROUP, list -> Places.same(list, List.of(east, west)));
        Await.until(
                "east alone", Stage.SOON, () -> stage.consumer().list(service, GROUP, "east"), List.of(east)::equals);
        Await.until(
                "both when both are named",
                Stage.SOON,
                () -> stage.consumer().list(service, GROUP, "east", "west-2"),
                list -> Places.same(list, List.of(east, west)));
        Await.until("nobody", Stage.SOON, () -> stage.consumer().list(service, GROUP, "north"), List::isEmpty);
        stage.consumer().subscribe(service, GROUP, "east");
        stage.hears("east alone", service, GROUP, Places.exactly(List.of(east)));
        Instance second = stage.place().cluster("east");
        stage.publisher(3).register(service, GROUP, second);
        stage.hears("all of east", service, GROUP, Places.exactly(List.of(east, second)));
        stage.publisher(1).deregister(service, GROUP, east);
        stage.publisher(2).deregister(service, GROUP, west);
        stage.publisher(3).deregister(service, GROUP, second);
        stage.consumer().unsubscribe(service, GROUP, "east");
    }

    private static void namespaces(Stage stage) throws Exception {
        String service = stage.service();
        Instance here = stage.place();
        Instance there = stage.place();
        String namespace = "team-" + stage.client().tag();
        Naming publisher = stage.open("publisher", namespace);
        Naming consumer = stage.open("consumer", namespace);
        stage.publisher(1).register(service, GROUP, here);
        publisher.register(service, GROUP, there);
        stage.lists("its own", service, GROUP, list -> Places.same(list, List.of(here)));
        Await.until(
                "its own", Stage.SOON, () -> consumer.list(service, GROUP), list -> Places.same(list, List.of(there)));
        stage.publisher(1).deregister(service, GROUP, here);
        stage.lists("nothing", service, GROUP, List::isEmpty);
        Await.until(
                "its own as before",
                Stage.SOON,
                () -> consumer.list(service, GROUP),
                list -> Places.same(list, List.of(there)));
        publisher.deregister(service, GROUP, there);
    }

    private static void oddNames(Stage stage) throws Exception {
        String unique = stage.service();
        for (String service : List.of(
                "providers:org.example.Greeter:1.0.0:blue-" + unique,
                unique + "/with/slashes",
                unique + "?a=b&c=d#e",
                unique + "%20+%2F",
                unique + ",;|[]{}()<>",
                unique + "!$^*~`'\"\\",
                unique + "@one-at")) {
            Instance instance = stage.place().metadata(Map.of("of", service));
            stage.consumer().subscribe(service, "odd_group-1.x:y");
            stage.publisher(1).register(service, "odd_group-1.x:y", instance);
            stage.hears("it", service, "odd_group-1.x:y", Places.exactly(List.of(instance)));
            stage.lists("it", service, "odd_group-1.x:y", list -> Places.same(list, List.of(instance)));
            stage.publisher(1).deregister(service, "odd_group-1.x:y", instance);
            stage.lists("nothing", service, "odd_group-1.x:y", List::isEmpty);
            stage.consumer().unsubscribe(service, "odd_group-1.x:y");
        }
    }

    private static void refusedNames(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place();
        Naming publisher = stage.open("publisher", "");
        publisher.register(service, GROUP, instance);
        for (String bad :
                List.of("with space " + service, "\u0441\u0435\u0440\u0432\u0438\u0441-" + service, "x".repeat(600))) {
            try {
                publisher.register(bad, GROUP, stage.place());
                throw new AssertionError("was taken: " + bad + " (expected: refused)");
            } catch (ClientFailure e) {
                System.out.println(stage.client().name() + " is told: " + e.getMessage());
            }
        }
        Instance next = stage.place();
        String another = stage.service();
        publisher.register(another, GROUP, next);
        stage.lists("what comes after the refusal", another, GROUP, list -> Places.same(list, List.of(next)));
        stage.lists("what was there before it", service, GROUP, list -> Places.same(list, List.of(instance)));
        publisher.deregister(another, GROUP, next);
        publisher.deregister(service, GROUP, instance);
    }
}
