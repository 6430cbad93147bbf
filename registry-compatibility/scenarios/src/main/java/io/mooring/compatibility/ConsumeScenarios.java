package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What a consumer asks for, and what it hears by itself. */
final class ConsumeScenarios {
    /** In which nothing must happen. */
    private static final Duration QUIET = Duration.ofMillis(400);

    static final List<Scenario> ALL = List.of(
            new Scenario("subscribe", Set.of(Ability.SUBSCRIBE), ConsumeScenarios::subscribe),
            new Scenario("unsubscribe", Set.of(Ability.UNSUBSCRIBE), ConsumeScenarios::unsubscribe),
            new Scenario("push on add and remove", Set.of(Ability.SUBSCRIBE), ConsumeScenarios::push),
            new Scenario(
                    "subscribe while instances come",
                    Set.of(Ability.REGISTER, Ability.WATCH),
                    ConsumeScenarios::subscribeMeanwhile),
            new Scenario("select healthy", Set.of(Ability.SELECT, Ability.PERSISTENT), ConsumeScenarios::select),
            new Scenario("weighted choice", Set.of(Ability.CHOOSE, Ability.WEIGHT), ConsumeScenarios::choose),
            new Scenario("service list", Set.of(Ability.SERVICES), ConsumeScenarios::services),
            new Scenario("watch services by pattern", Set.of(Ability.WATCH_SERVICES), ConsumeScenarios::pattern),
            new Scenario("empty service", Set.of(Ability.EMPTIED, Ability.LIST), ConsumeScenarios::empty),
            new Scenario("unknown service", Set.of(Ability.LIST, Ability.SELECT), ConsumeScenarios::unknown),
            new Scenario("wrong namespace", Set.of(Ability.NAMESPACES, Ability.SUBSCRIBE), ConsumeScenarios::elsewhere),
            new Scenario("1,000 instances", Set.of(Ability.SUBSCRIBE), ConsumeScenarios::thousand),
            new Scenario("status of the server", Set.of(Ability.STATUS), ConsumeScenarios::status));

    private ConsumeScenarios() {}

    private static void subscribe(Stage stage) throws Exception {
        String service = stage.service();
        Instance first = stage.place();
        Instance second = stage.place();
        stage.publisher(1).register(service, GROUP, first);
        stage.publisher(2).register(service, GROUP, second);
        stage.consumer().subscribe(service, GROUP);
        stage.hears("who is there already", service, GROUP, Places.exactly(List.of(first, second)));
        stage.publisher(1).deregister(service, GROUP, first);
        stage.publisher(2).deregister(service, GROUP, second);
        stage.consumer().unsubscribe(service, GROUP);

        String later = stage.service();
        stage.consumer().subscribe(later, GROUP);
        stage.publisher(1).register(later, GROUP, first);
        stage.hears("who comes first to a service unknown before", later, GROUP, Places.exactly(List.of(first)));
        stage.publisher(1).deregister(later, GROUP, first);
        stage.consumer().unsubscribe(later, GROUP);
    }

    private static void unsubscribe(Stage stage) throws Exception {
        String service = stage.service();
        Instance first = stage.place();
        Instance second = stage.place();
        Naming witness = stage.open("consumer", "");
        stage.publisher(1).register(service, GROUP, first);
        stage.consumer().subscribe(service, GROUP);
        witness.subscribe(service, GROUP);
        stage.hears("the first", service, GROUP, Places.exactly(List.of(first)));
        stage.consumer().unsubscribe(service, GROUP);
        int heard = stage.consumer().seen("event", service, GROUP).size();
        stage.publisher(2).register(service, GROUP, second);
        witness.hears("both", Stage.SOON, service, GROUP, Places.exactly(List.of(first, second)));
        Await.always(
                "nothing is heard after unsubscribing",
                QUIET,
                () -> stage.consumer().seen("event", service, GROUP),
                all -> all.size() == heard);
        stage.publisher(1).deregister(service, GROUP, first);
        stage.publisher(2).deregister(service, GROUP, second);
    }

    private static void push(Stage stage) throws Exception {
        String service = stage.service();
        List<Instance> all = new ArrayList<>();
        stage.consumer().subscribe(service, GROUP);
        for (int i = 1; i <= 3; i++) {
            all.add(stage.place());
            stage.publisher(i).register(service, GROUP, all.get(i - 1));
            stage.hears("each as it comes", service, GROUP, Places.exactly(all));
        }
        for (int i = 1; i <= 3; i++) {
            stage.publisher(i).deregister(service, GROUP, all.remove(0));
            if (!all.isEmpty() || !stage.client().lacks().containsKey(Ability.EMPTIED)) {
                stage.hears("each as it goes", service, GROUP, Places.exactly(all));
            }
        }
        stage.consumer().unsubscribe(service, GROUP);
    }

    /** The answer to the subscription and the first push are on their way at the same time, and may be taken in any order. */
    private static void subscribeMeanwhile(Stage stage) throws Exception {
        Map<String, Instance> published = new LinkedHashMap<>();
        for (int i = 0; i < 20; i++) {
            String service = stage.service();
            published.put(service, stage.place());
            stage.consumer().watch(service, GROUP);
            stage.publisher(1).register(service, GROUP, published.get(service));
        }
        for (Map.Entry<String, Instance> each : published.entrySet()) {
            stage.looks("who came", each.getKey(), GROUP, Places.exactly(List.of(each.getValue())));
            stage.consumer().unwatch(each.getKey(), GROUP);
            stage.publisher(1).deregister(each.getKey(), GROUP, each.getValue());
        }
    }

    private static void select(Stage stage) throws Exception {
        String service = stage.service();
        List<Instance> three = List.of(
                stage.place().persistent(),
                stage.place().persistent(),
                stage.place().persistent());
        for (Instance each : three) {
            stage.publisher(1).register(service, GROUP, each);
        }
        stage.request(
                "PUT",
                "cluster",
                service,
                Map.of(
                        "clusterName",
                        "DEFAULT",
                        "checkPort",
                        "80",
                        "useInstancePort4Check",
                        "true",
                        "healthChecker",
                        "{\"type\":\"NONE\"}"));
        stage.request(
                "PUT",
                "health/instance",
                service,
                Map.of(
                        "ip",
                        three.get(0).ip(),
                        "port",
                        "" + three.get(0).port(),
                        "clusterName",
                        "DEFAULT",
                        "healthy",
                        "false"));
        Await.until(
                "the two healthy ones",
                Stage.SOON,
                () -> stage.consumer().select(service, GROUP, true),
                list -> Places.same(list, three.subList(1, 3)));
        Await.until(
                "the one that is not",
                Stage.SOON,
                () -> stage.consumer().select(service, GROUP, false),
                list -> list.size() == 1
                        && list.get(0).address().equals(three.get(0).address())
                        && !list.get(0).healthy());
        stage.lists("all three", service, GROUP, list -> list.size() == 3);
        for (Instance each : three) {
            stage.publisher(1).deregister(service, GROUP, each);
        }
    }

    private static void choose(Stage stage) throws Exception {
        String service = stage.service();
        Instance light = stage.place().weight(1);
        Instance heavy = stage.place().weight(9);
        Instance never = stage.place().weight(0);
        stage.publisher(1).register(service, GROUP, light);
        stage.publisher(2).register(service, GROUP, heavy);
        stage.publisher(3).register(service, GROUP, never);
        stage.consumer().watch(service, GROUP);
        stage.looks("all three", service, GROUP, seen -> seen.instances().size() == 3);
        Map<String, Integer> chosen = stage.consumer().choose(service, GROUP, 2_000);
        int heavily = chosen.getOrDefault(heavy.address(), 0);
        if (!chosen.keySet().equals(Set.of(light.address(), heavy.address())) || heavily < 1_700 || heavily > 1_900) {
            throw new AssertionError("of 2000 choices between weights 1, 9 and 0: " + chosen + " (expected: about 200 "
                    + light.address() + " and 1800 " + heavy.address() + ")");
        }
        stage.consumer().unwatch(service, GROUP);
        stage.publisher(1).deregister(service, GROUP, light);
        stage.publisher(2).deregister(service, GROUP, heavy);
        stage.publisher(3).deregister(service, GROUP, never);
    }

    private static void services(Stage stage) throws Exception {
        String group = "list-" + stage.client().tag();
        Map<String, Instance> five = new TreeMap<>();
        for (int i = 0; i < 5; i++) {
            five.put(stage.service(), stage.place());
        }
        for (Map.Entry<String, Instance> each : five.entrySet()) {
            stage.publisher(1).register(each.getKey(), group, each.getValue());
        }
        Await.until(
                "five of that group are counted",
                Stage.SOON,
                () -> stage.consumer().services(group, 1, 10),
                page -> page.count() == 5 && new TreeSet<>(page.names()).equals(five.keySet()));
        Set<String> paged = new TreeSet<>();
        for (int page = 1; page <= 3; page++) {
            Naming.Services services = stage.consumer().services(group, page, 2);
            if (services.count() != 5 || services.names().size() != (page == 3 ? 1 : 2)) {
                throw new AssertionError("page " + page + " of 5 services by 2: " + services);
            }
            paged.addAll(services.names());
        }
        if (!paged.equals(five.keySet())) {
            throw new AssertionError("the pages have " + paged + " (expected: " + five.keySet() + ")");
        }
        for (Map.Entry<String, Instance> each : five.entrySet()) {
            stage.publisher(1).deregister(each.getKey(), group, each.getValue());
        }
        Await.until(
                "none is left", Stage.SOON, () -> stage.consumer().services(group, 1, 10), page -> page.count() == 0);
    }

    private static void pattern(Stage stage) throws Exception {
        String before = stage.service();
        String after = stage.service();
        String prefix = before.substring(0, before.lastIndexOf('-'));
        Instance instance = stage.place();
        stage.publisher(1).register(before, GROUP, instance);
        stage.lists("it", before, GROUP, list -> list.size() == 1);
        List<String> matching = stage.consumer().watchServices(prefix + "*", GROUP);
        if (matching.size() != 1 || !matching.get(0).contains(before)) {
            throw new AssertionError(prefix + "* matches " + matching + " (expected: " + before + ")");
        }
        stage.publisher(1).register(after, GROUP, instance);
        Await.until(
                "the new one is told",
                Stage.SOON,
                () -> stage.consumer().seen("pattern", after, GROUP),
                seen -> seen.stream().anyMatch(each -> each.said().equals("ADD_SERVICE")));
        stage.publisher(1).deregister(after, GROUP, instance);
        Await.until(
                "its end is told",
                Stage.SOON,
                () -> stage.consumer().seen("pattern", after, GROUP),
                seen -> seen.stream().anyMatch(each -> each.said().equals("DELETE_SERVICE")));
        stage.publisher(1).deregister(before, GROUP, instance);
    }

    private static void empty(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place();
        stage.consumer().subscribe(service, GROUP);
        stage.publisher(1).register(service, GROUP, instance);
        stage.hears("the only one", service, GROUP, Places.exactly(List.of(instance)));
        stage.publisher(1).deregister(service, GROUP, instance);
        stage.hears("that nobody is left", service, GROUP, Places.exactly(List.of()));
        stage.lists("nothing", service, GROUP, List::isEmpty);
        stage.publisher(1).register(service, GROUP, instance);
        stage.hears("that it is back", service, GROUP, Places.exactly(List.of(instance)));
        stage.publisher(1).deregister(service, GROUP, instance);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void unknown(Stage stage) throws Exception {
        String service = stage.service();
        if (!stage.consumer().list(service, GROUP).isEmpty()
                || !stage.consumer().select(service, GROUP, true).isEmpty()) {
            throw new AssertionError("a service that nobody has heard of has instances");
        }
        if (stage.client().lacks().containsKey(Ability.CHOOSE)) {
            return;
        }
        try {
            Map<String, Integer> chosen = stage.consumer().choose(service, GROUP, 1);
            if (!chosen.isEmpty()) {
                throw new AssertionError("chosen of a service that nobody has heard of: " + chosen);
            }
        } catch (ClientFailure e) { // how most say that there is nobody
            if (!String.valueOf(e.getMessage()).contains("no host")) {
                throw e;
            }
        }
    }

    private static void elsewhere(Stage stage) throws Exception {
        String service = stage.service();
        Instance first = stage.place();
        Instance second = stage.place();
        // In the other process: clients of 2.0 tell their listeners what any client of their process hears.
        Naming elsewhere = stage.open("publisher", "elsewhere");
        stage.publisher(1).register(service, GROUP, first);
        stage.consumer().subscribe(service, GROUP);
        stage.hears("the first", service, GROUP, Places.exactly(List.of(first)));
        elsewhere.subscribe(service, GROUP);
        stage.publisher(2).register(service, GROUP, second);
        stage.hears("both", service, GROUP, Places.exactly(List.of(first, second)));
        Await.always(
                "nothing is heard in another namespace",
                QUIET,
                () -> elsewhere.seen("event", service, GROUP),
                all -> all.stream().allMatch(seen -> seen.instances().isEmpty()));
        if (!elsewhere.list(service, GROUP).isEmpty()) {
            throw new AssertionError("listed in another namespace: " + elsewhere.list(service, GROUP));
        }
        elsewhere.unsubscribe(service, GROUP);
        stage.publisher(1).deregister(service, GROUP, first);
        stage.publisher(2).deregister(service, GROUP, second);
        stage.consumer().unsubscribe(service, GROUP);
    }

    private static void thousand(Stage stage) throws Exception {
        String service = stage.service();
        List<Instance> all = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            all.add(Instance.at("127.9." + i / 250 + "." + (1 + i % 250), 9_000).metadata(Map.of("number", "" + i)));
        }
        boolean batch = !stage.client().lacks().containsKey(Ability.BATCH);
        if (batch) {
            stage.publisher(1).batchRegister(service, GROUP, all);
        } else { // a connection has one instance of a service: others have to register these
            for (Instance each : all) {
                stage.request(
                        "POST",
                        "instance",
                        service,
                        Map.of(
                                "ip",
                                each.ip(),
                                "port",
                                "" + each.port(),
                                "metadata",
                                "number=" + each.metadata().get("number")
                                        + ",preserved.heart.beat.timeout=60000,preserved.ip.delete.timeout=90000"));
            }
        }
        stage.lists("a thousand", service, GROUP, list -> list.size() == 1_000);
        stage.consumer().subscribe(service, GROUP);
        stage.hears(
                "a thousand",
                service,
                GROUP,
                seen -> seen.instances().size() == 1_000
                        && seen.instances().stream()
                                        .map(each -> each.metadata().get("number"))
                                        .distinct()
                                        .count()
                                == 1_000);
        Instance another = stage.place();
        stage.publisher(2).register(service, GROUP, another);
        stage.hears("one more", service, GROUP, seen -> seen.instances().size() == 1_001);
        stage.publisher(2).deregister(service, GROUP, another);
        stage.hears("one less", service, GROUP, seen -> seen.instances().size() == 1_000);
        stage.consumer().unsubscribe(service, GROUP);
        if (batch) {
            stage.publisher(1).batchDeregister(service, GROUP, all);
        } else {
            for (Instance each : all) {
                stage.request("DELETE", "instance", service, Map.of("ip", each.ip(), "port", "" + each.port()));
            }
        }
        stage.lists("nothing", service, GROUP, List::isEmpty);
    }

    private static void status(Stage stage) throws Exception {
        Await.until("the server is up", Stage.SOON, () -> stage.consumer().status(), "UP"::equals);
    }
}
