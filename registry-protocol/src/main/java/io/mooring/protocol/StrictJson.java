package io.mooring.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;

/** How strangers' JSON is read, on sessions and by HTTP alike: the limits of {@code docs/protocol.md}. Any thread. */
public final class StrictJson {
    private static final int MAX_DEPTH = 16;

    /** Keeps no field names for ever and quotes nothing of the source in its complaints. */
    public static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(1 << 17)
                    .maxNameLength(4_096)
                    .maxNumberLength(64)
                    .build())
            .build();

    private StrictJson() {}
}
