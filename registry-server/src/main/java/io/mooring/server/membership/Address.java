package io.mooring.server.membership;

import io.mooring.server.shard.NodeId;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A place where a node may answer, and what came of trying. */
final class Address {
    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(\\[[0-9A-Fa-f:.%]{2,64}]|[A-Za-z0-9_.-]{1,253}):\\d{1,5}");

    final String text;
    boolean configured;
    boolean learned;

    boolean remembered;

    /** It leads back to this node. */
    boolean self;

    /** Who answered there last. */
    @Nullable
    NodeId node;

    /** Being tried, or in use. */
    boolean busy;

    boolean tried;
    int failures;
    long notBefore;

    @Nullable
    String problem;

    Address(String text, long now) {
        this.text = text;
        this.notBefore = now;
    }

    static boolean isValid(String text) {
        return HOST_AND_PORT.matcher(text).matches();
    }
}
