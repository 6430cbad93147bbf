package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Three publishers of a service, and a consumer that looks at its list all the time while nodes come and go. No look may find
 * the list short, in doubt or otherwise than it was.
 */
final class OutagePart implements Joint.Part {
    /** Until all publishers are back: clients look for another node for up to 8 s and repeat what they registered within 3. */
    private static final Duration BACK = Duration.ofSeconds(120);

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Stage stage;
    private final Registry registry;
    private final Map<String, String> words;
    private final String service;
    private final List<Naming> publishers = new ArrayList<>();
    private final List<Instance> published = new ArrayList<>();
    private final Naming consumer;

    private OutagePart(Stage stage, Registry registry, Map<String, String> words) throws Exception {
        this.stage = stage;
        this.registry = registry;
        this.words = words;
        this.service = stage.service();
        for (int i = 0; i < 3; i++) {
            publishers.add(stage.open("publisher", "", words));
            published.add(stage.place().metadata(Map.of("number", "" + i)));
            Stage.registers(publishers.get(i), service, published.get(i));
        }
        this.consumer = stage.open("consumer", "", words);
    }

    /** @param guarded whether the registry has users; then no operator says anything, who would have to log in too */
    static OutagePart of(Stage stage, Registry registry, boolean guarded) throws Exception {
        OutagePart part = new OutagePart(
                stage, registry, guarded ? stage.guarded(LoginScenarios.USER, LoginScenarios.PASSWORD) : Map.of());
        if (!guarded) {
            part.published.set(0, part.published.get(0).weight(5));
            stage.amend(part.service, part.published.get(0));
        }
        // Clients tell their listeners late: who has looked before may hand on what was so before the operator's word.
        List<String> weights = part.published.stream()
                .map(each -> String.valueOf(each.weight()))
                .sorted()
                .toList();
        for (NodeProcess node : registry.nodes()) {
            Await.until(
                    node + " lists what an operator has changed",
                    Stage.SOON,
                    () -> part.listed(
                            node, each -> String.valueOf(each.path("weight").asDouble(1))),
                    weights::equals);
        }
        Await.until(
                "all three are listed",
                Stage.SOON,
                () -> part.consumer.list(part.service, GROUP),
                list -> Places.same(list, part.published));
        part.consumer.subscribe(part.service, GROUP);
        part.consumer.watch(part.service, GROUP);
        Stage.looks(part.consumer, "all three", Stage.SOON, part.service, GROUP, Places.exactly(part.published));
        return part;
    }

    @Override
    public void judge() throws Exception {
        Naming newcomer = stage.open("consumer", "", words);
        List<Instance> first = Await.until(
                "a consumer that starts now gets an answer",
                Stage.SOON,
                () -> newcomer.list(service, GROUP),
                list -> true);
        if (!Places.same(first, published)) {
            throw new AssertionError(
                    "a consumer that starts after it is told " + first + " (expected: " + published + ")");
        }
        long start = System.nanoTime();
        for (NodeProcess node : registry.nodes()) {
            Await.until(
                    node + " has heard again from all publishers of " + service,
                    BACK,
                    () -> listed(node, each -> each.path("standing").asString("?")),
                    all -> all.equals(List.of("live", "live", "live")));
        }
        System.out.println(stage.client().name() + ": all nodes have heard from all publishers of " + service + " ("
                + (System.nanoTime() - start) / 1_000_000 + " ms)");
        Instance another = stage.place();
        Naming further = stage.open("publisher", "", words);
        further.register(service, GROUP, another);
        List<Instance> four =
                Stream.concat(published.stream(), Stream.of(another)).toList();
        Stage.looks(consumer, "a fourth", Stage.NOTICED, service, GROUP, Places.exactly(four));
        further.deregister(service, GROUP, another);
        Stage.looks(consumer, "three again", Stage.NOTICED, service, GROUP, Places.exactly(published));
        for (Seen seen : Stream.concat(
                        consumer.seen("watch", service, GROUP).stream(),
                        consumer.seen("event", service, GROUP).stream())
                .toList()) {
            if (!seen.said().isEmpty() || !seen.instances().containsAll(published)) {
                throw new AssertionError("a consumer was given " + seen + " (expected: always " + published
                        + "); all it was given: " + consumer.seen("watch", service, GROUP));
            }
        }
    }

    /** What the node says of each instance, in order; what is wrong if it does not answer. */
    private List<String> listed(NodeProcess node, Function<JsonNode, String> what) throws Exception {
        List<String> out = new ArrayList<>();
        try {
            JSON.readTree(node.request("GET", "/v1/services/" + service, Map.of()))
                    .path("instances")
                    .forEach(each -> out.add(what.apply(each)));
        } catch (IOException e) {
            out.add(String.valueOf(e.getMessage())); // not yet
        }
        out.sort(Comparator.naturalOrder());
        return out;
    }

    @Override
    public void leave() throws Exception {
        consumer.unwatch(service, GROUP);
        for (int i = 0; i < 3; i++) {
            publishers.get(i).deregister(service, GROUP, published.get(i));
        }
    }
}
