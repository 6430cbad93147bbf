package io.mooring.server.edge.nacos.http;

import io.mooring.protocol.RefusalCode;

/** What can be wrong with a request, in the numbers and words of each generation of the interface. */
enum Fault {
    MISSING(400, 400, 10_000, "parameter missing", RefusalCode.MISSING),
    ILLEGAL(400, 400, 20_002, "parameter validate error", RefusalCode.INVALID),
    UNREADABLE(400, 400, 20_002, "parameter validate error", RefusalCode.MALFORMED),
    MEDIA_TYPE(400, 415, 20_003, "media type error", "unsupported_media_type"),
    TOO_LARGE(400, 413, 20_002, "parameter validate error", "too_large"),
    TOO_SLOW(400, 408, 20_002, "parameter validate error", RefusalCode.TOO_SLOW),
    FORBIDDEN(403, 403, 10_001, "access denied", "forbidden"),
    NOT_FOUND(404, 404, 20_004, "resource not found", RefusalCode.UNKNOWN),
    NO_INSTANCE(404, 404, 20_004, "resource not found", RefusalCode.UNKNOWN),
    INSTANCE_NOT_CHANGED(400, 404, 21_003, "instance not found", RefusalCode.UNKNOWN),
    NO_SERVICE(400, 404, 21_008, "service not exist", RefusalCode.UNKNOWN),
    SERVICE_EXISTS(400, 400, 21_007, "service already exists", RefusalCode.INVALID),
    SERVICE_IN_USE(400, 400, 21_009, "service delete failure", RefusalCode.INVALID),
    CONFLICT(400, 409, 20_005, "resource conflict", RefusalCode.NOT_OWNER),
    KIND(400, 400, 20_002, "parameter validate error", RefusalCode.KIND),
    NAMESPACE(400, 400, 22_000, "illegal namespace", RefusalCode.INVALID),
    SERVER(500, 500, 30_000, "server error", RefusalCode.INTERNAL),
    LIMIT(500, 500, 30_000, "server error", RefusalCode.LIMIT),
    NOT_OFFERED(501, 501, 40_001, "API function disabled", "not_offered"),
    OVERLOADED(503, 503, 30_000, "server error", RefusalCode.OVERLOADED),
    NOT_DURABLE(503, 503, 30_000, "server error", RefusalCode.NOT_DURABLE),
    NOT_READY(503, 503, 23_000, "illegal state", RefusalCode.STOPPING);

    private final int statusOfV1;
    private final int statusSinceV2;
    private final int code;
    private final String words;
    private final String because;

    Fault(int statusOfV1, int statusSinceV2, int code, String words, String because) {
        this.statusOfV1 = statusOfV1;
        this.statusSinceV2 = statusSinceV2;
        this.code = code;
        this.words = words;
        this.because = because;
    }

    int status(Generation generation) {
        return generation == Generation.V1 ? statusOfV1 : statusSinceV2;
    }

    /** In the envelope of v2 and v3. */
    int code() {
        return code;
    }

    /** In the envelope of v2 and v3: the same for every request of that kind. */
    String words() {
        return words;
    }

    /** For counting. */
    String because() {
        return because;
    }
}
