package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Requests as Java clients of Nacos send them. The instances have the labels of {@link Workload}, so that one takes some
 * 400 bytes in a list.
 */
final class NacosWorkload {
    private static final String PREFIX = "orders-";

    private NacosWorkload() {}

    private static ByteBuf begin(int service) {
        ByteBuf out = Unpooled.buffer(640);
        Workload.text(out, "{\"headers\":{},\"namespace\":\"public\",\"serviceName\":\"" + PREFIX);
        Workload.number(out, service);
        Workload.text(out, "\",\"groupName\":\"DEFAULT_GROUP\"");
        return out;
    }

    private static ByteBuf end(ByteBuf out) {
        Workload.text(out, ",\"module\":\"naming\"}");
        return out;
    }

    /** @param version 0: the one it has at first */
    static ByteBuf register(int service, int n, int version) {
        ByteBuf out = begin(service);
        Workload.text(out, ",\"type\":\"registerInstance\",\"instance\":");
        instance(out, service, n, version);
        return end(out);
    }

    static ByteBuf deregister(int service, int n) {
        ByteBuf out = begin(service);
        Workload.text(out, ",\"type\":\"deregisterInstance\",\"instance\":");
        instance(out, service, n, 0);
        return end(out);
    }

    static ByteBuf batch(int service, int first, int count) {
        ByteBuf out = begin(service);
        Workload.text(out, ",\"type\":\"batchRegisterInstance\",\"instances\":[");
        for (int i = 0; i < count; i++) {
            if (i > 0) {
                out.writeByte(',');
            }
            instance(out, service, first + i, 0);
        }
        out.writeByte(']');
        return end(out);
    }

    static ByteBuf query(int service) {
        ByteBuf out = begin(service);
        Workload.text(out, ",\"cluster\":\"\",\"healthyOnly\":false,\"udpPort\":0");
        return end(out);
    }

    static ByteBuf subscribe(int service) {
        ByteBuf out = begin(service);
        Workload.text(out, ",\"subscribe\":true,\"clusters\":\"\"");
        return end(out);
    }

    private static void instance(ByteBuf out, int service, int n, int version) {
        Workload.text(out, "{\"ip\":\"10.");
        Workload.number(out, n >>> 16 & 255);
        out.writeByte('.');
        Workload.number(out, n >>> 8 & 255);
        out.writeByte('.');
        Workload.number(out, n & 255);
        Workload.text(
                out,
                "\",\"port\":8080,\"weight\":1.0,\"healthy\":true,\"enabled\":true,\"ephemeral\":true,"
                        + "\"metadata\":{\"pod\":\"" + PREFIX);
        Workload.number(out, service);
        Workload.text(out, "-7f9c5d-");
        Workload.number(out, n);
        Workload.text(out, "\",\"version\":\"");
        if (version == 0) {
            Workload.text(out, "1.4.");
            Workload.number(out, n % 10);
        } else {
            out.writeByte('v');
            Workload.number(out, version);
        }
        Workload.text(out, "\",\"zone\":\"zone-");
        Workload.number(out, n % 3);
        Workload.text(
                out,
                "\"},\"instanceHeartBeatInterval\":5000,\"instanceHeartBeatTimeOut\":15000,\"ipDeleteTimeout\":30000}");
    }

    /** Stands in a list that has the instance in that version. */
    static String marker(int version) {
        return "\"version\":\"v" + version + "\"";
    }
}
