package io.mooring.server.edge.nacos.http;

import io.mooring.model.InvalidValueException;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.lease.Outcome;
import io.mooring.server.web.BodyRefusedException;

/** Ends the handling of a request with that fault. Carries no stack trace: it tells of the sender's doing, not ours. */
final class FaultException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Fault fault;

    FaultException(Fault fault, String sentence) {
        super(sentence, null, false, false);
        this.fault = fault;
    }

    static FaultException missing(String parameter) {
        return new FaultException(Fault.MISSING, "Param '" + parameter + "' is required.");
    }

    static FaultException of(InvalidValueException e) {
        return new FaultException(
                Fault.ILLEGAL,
                "Param '" + e.field() + "' is illegal, " + e.value() + " (expected: " + e.expected() + ")");
    }

    static FaultException of(BodyRefusedException e) {
        return new FaultException(
                switch (e.reason()) {
                    case TOO_LARGE -> Fault.TOO_LARGE;
                    case TOO_SLOW -> Fault.TOO_SLOW;
                    case BROKEN -> Fault.UNREADABLE;
                    case FULL -> Fault.OVERLOADED;
                },
                e.sentence());
    }

    static FaultException of(Outcome.Refused refused) {
        return new FaultException(
                switch (refused.code()) {
                    case RefusalCode.INVALID, RefusalCode.MISSING -> Fault.ILLEGAL;
                    case RefusalCode.UNKNOWN -> Fault.INSTANCE_NOT_CHANGED;
                    case RefusalCode.NOT_OWNER -> Fault.CONFLICT;
                    case RefusalCode.LIMIT -> Fault.LIMIT;
                    case RefusalCode.OVERLOADED -> Fault.OVERLOADED;
                    case RefusalCode.NOT_DURABLE -> Fault.NOT_DURABLE;
                    case RefusalCode.KIND -> Fault.KIND;
                    default -> Fault.SERVER;
                },
                refused.message());
    }

    Fault fault() {
        return fault;
    }

    String sentence() {
        return String.valueOf(getMessage());
    }
}
