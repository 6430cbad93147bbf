package io.mooring.client;

import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import java.util.Optional;

/** A listed instance with what this process noted of it. The answer is made once, so that lookups need not allocate. */
final class Candidate {
    final ListedInstance listed;
    final Instance instance;
    final Optional<Instance> answer;
    final Track track;

    Candidate(ListedInstance listed, Track track) {
        this.listed = listed;
        this.instance = listed.instance();
        this.answer = Optional.of(instance);
        this.track = track;
    }

    boolean takesCalls() {
        return instance.enabled() && instance.weight() > 0 && instance.port() > 0;
    }
}
