package io.mooring.compatibility;

import java.util.List;
import java.util.stream.Stream;

/** All that one client does by itself, in this order. What is done to nodes under all clients at once are {@link Outages}. */
final class Scenarios {
    static final List<Scenario> ALL = Stream.of(
                    PublishScenarios.ALL, ConsumeScenarios.ALL, LossScenarios.ALL, LoginScenarios.ALL)
            .flatMap(List::stream)
            .toList();

    private Scenarios() {}
}
