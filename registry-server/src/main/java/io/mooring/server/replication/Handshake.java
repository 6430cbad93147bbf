package io.mooring.server.replication;

import io.mooring.server.codec.ByteWriter;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Whom a node speaks with. Each side shows that it knows the cluster's secret without saying it: by a HMAC over its
 * role, both nonces, the cluster and both names, so that what was said on one line, or by the other side, proves nothing
 * on this one.
 */
final class Handshake {
    /** Of this protocol. */
    static final int VERSION = 1;

    static final int OLDEST = 1;

    private final byte[] secret;

    Handshake(String secret) {
        this.secret = secret.getBytes(StandardCharsets.UTF_8);
    }

    /** Why that node is not one to speak with, whatever it can prove. */
    static Optional<PeerMessage.Refuse> objection(PeerMessage.Hello mine, PeerMessage.Hello theirs) {
        if (theirs.version() < OLDEST || theirs.oldest() > VERSION) {
            return refuse(
                    "version",
                    "protocol versions " + theirs.oldest() + "-" + theirs.version() + " (expected: some of " + OLDEST
                            + "-" + VERSION + "); upgrade the older node");
        }
        if (!theirs.cluster().equals(mine.cluster())) {
            return refuse(
                    "cluster",
                    "node " + theirs.node() + " belongs to cluster '" + theirs.cluster() + "' (expected: '"
                            + mine.cluster() + "'); correct the list of peers or mooring.cluster.name");
        }
        if (theirs.node().isReserved()) {
            return refuse(
                    "duplicate",
                    "a node calls itself " + theirs.node() + ", which is not a node's name (expected: another"
                            + " mooring.node.name)");
        }
        if (theirs.node().equals(mine.node())) {
            return theirs.process() == mine.process()
                    ? refuse("self", "this is the node itself")
                    : refuse(
                            "duplicate",
                            "another process calls itself " + mine.node() + " (expected: names of their own); give one"
                                    + " another mooring.node.name and data directory");
        }
        return Optional.empty();
    }

    private static Optional<PeerMessage.Refuse> refuse(String code, String text) {
        return Optional.of(new PeerMessage.Refuse(code, text));
    }

    /**
     * What the speaker proves itself with.
     *
     * @param dialled whether the speaker dialled the line
     */
    String proof(boolean dialled, PeerMessage.Hello speaker, PeerMessage.Hello listener) {
        if (secret.length == 0) {
            return "";
        }
        byte[] said = new ByteWriter(256)
                .octet(dialled ? 'D' : 'A')
                .number(speaker.nonceHigh(), 8)
                .number(speaker.nonceLow(), 8)
                .number(listener.nonceHigh(), 8)
                .number(listener.nonceLow(), 8)
                .text(speaker.cluster())
                .text(speaker.node().name())
                .text(listener.node().name())
                .number(speaker.process(), 8)
                .number(speaker.incarnation(), 8)
                .bytes();
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(said));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HmacSHA256 is missing (expected: in every Java)", e);
        }
    }

    boolean isProof(String proof, boolean speakerDialled, PeerMessage.Hello speaker, PeerMessage.Hello listener) {
        byte[] expected = proof(speakerDialled, speaker, listener).getBytes(StandardCharsets.US_ASCII);
        return MessageDigest.isEqual(expected, proof.getBytes(StandardCharsets.US_ASCII)); // in constant time
    }
}
