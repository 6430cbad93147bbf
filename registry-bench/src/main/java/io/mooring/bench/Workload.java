package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * The instances that are registered: number {@code n} is always the same. Three metadata entries: a zone of three, a
 * version of ten, and a name that nobody else has.
 */
final class Workload {
    private final int services;
    private final int block;
    private final String prefix;

    /** @param block so many with consecutive numbers are of one service */
    Workload(String prefix, int services, int block) {
        this.prefix = prefix;
        this.services = services;
        this.block = block;
    }

    String serviceName(int n) {
        return prefix + service(n);
    }

    private int service(int n) {
        return n / block % services;
    }

    void register(ByteBuf out, long id, int first, int count) {
        text(out, "{\"type\":\"register\",\"id\":");
        number(out, id);
        text(out, ",\"instances\":[");
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                out.writeByte(',');
            }
            instance(out, first + i, 0);
        }
        text(out, "]}");
    }

    /** @param version another one is a change */
    void instance(ByteBuf out, int n, int version) {
        text(out, "{\"service\":\"");
        text(out, prefix);
        number(out, service(n));
        text(out, "\",\"host\":\"10.");
        number(out, n >>> 16 & 255);
        out.writeByte('.');
        number(out, n >>> 8 & 255);
        out.writeByte('.');
        number(out, n & 255);
        text(out, "\",\"port\":8080,\"metadata\":{\"pod\":\"");
        text(out, prefix);
        number(out, service(n));
        text(out, "-7f9c5d-");
        number(out, n);
        text(out, "\",\"version\":\"");
        if (version == 0) {
            text(out, "1.4.");
            number(out, n % 10);
        } else {
            out.writeByte('v');
            number(out, version);
        }
        text(out, "\",\"zone\":\"zone-");
        number(out, n % 3);
        text(out, "\"}}");
    }

    static byte[] marker(int version) {
        return ("\"version\":\"v" + version + "\"").getBytes(StandardCharsets.US_ASCII);
    }

    static void text(ByteBuf out, String ascii) {
        out.writeCharSequence(ascii, StandardCharsets.US_ASCII);
    }

    static void number(ByteBuf out, long value) {
        if (value >= 10) {
            number(out, value / 10);
        }
        out.writeByte((int) ('0' + value % 10));
    }
}
