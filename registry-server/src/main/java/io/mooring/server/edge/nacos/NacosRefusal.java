package io.mooring.server.edge.nacos;

import io.mooring.model.InvalidValueException;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.lease.Outcome;

/**
 * Why a request of a Nacos client changes nothing.
 *
 * @param code one of the numbers below; clients decide by it whether to try again or elsewhere
 * @param message a sentence for people
 * @param because the same in our own codes, for counting
 */
public record NacosRefusal(int code, String message, String because) {
    /** The node is starting or leaves: the client tries the next one. */
    public static final int NOT_READY = 300;
    /** There is no such connection, or no more: the client connects anew and repeats what it had registered. */
    public static final int NOT_CONNECTED = 301;
    /** Nobody handles that kind of request. */
    public static final int NO_HANDLER = 302;

    public static final int INVALID = 400;
    public static final int FORBIDDEN = 403;
    public static final int NOT_FOUND = 404;
    /** Something here; clients try again, a few times. */
    public static final int SERVER_ERROR = 500;

    public static final int NOT_IMPLEMENTED = 501;
    /** What came could not be read. */
    public static final int UNREADABLE = 502;
    /** Too much at the moment. */
    public static final int OVERLOADED = 503;
    /** A beat or a query names what is not registered. */
    public static final int RESOURCE_NOT_FOUND = 20_404;

    public static final int FUZZY_PATTERNS_OVER_LIMIT = 50_310;
    public static final int FUZZY_MATCHES_OVER_LIMIT = 50_311;

    /** A refusal by the core. */
    public static NacosRefusal of(Outcome.Refused refused) {
        int code = switch (refused.code()) {
            case RefusalCode.INVALID, RefusalCode.MISSING, RefusalCode.KIND -> INVALID;
            case RefusalCode.UNKNOWN -> NOT_FOUND;
            case RefusalCode.OVERLOADED, RefusalCode.NOT_DURABLE -> OVERLOADED;
            default -> SERVER_ERROR;
        };
        return new NacosRefusal(code, refused.message(), refused.code());
    }

    /** A value that breaks its rule. */
    public static NacosRefusal of(InvalidValueException e) {
        return new NacosRefusal(INVALID, e.getMessage(), RefusalCode.INVALID);
    }
}
