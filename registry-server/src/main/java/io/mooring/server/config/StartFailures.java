package io.mooring.server.config;

import io.mooring.model.InvalidValueException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.convert.ConversionFailedException;
import org.springframework.core.env.Environment;

/** Says in one sentence why the start failed and in another what to do. Made by Spring Boot, by name. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class StartFailures implements FailureAnalyzer {
    private final @Nullable Environment environment;

    StartFailures(@Nullable Environment environment) {
        this.environment = environment;
    }

    @Override
    public @Nullable FailureAnalysis analyze(Throwable failure) {
        StartRefusedException refused = find(failure, StartRefusedException.class);
        if (refused != null) {
            return new FailureAnalysis(refused.getMessage(), refused.action(), refused);
        }
        PortInUseException port = find(failure, PortInUseException.class);
        if (port != null) {
            return portTaken(port);
        }
        BindException bind = find(failure, BindException.class);
        return bind == null ? null : badValue(bind);
    }

    private FailureAnalysis portTaken(PortInUseException e) {
        int port = e.getPort();
        boolean operations =
                environment != null && environment.getProperty("management.server.port", Integer.class, -1) == port;
        String purpose = operations ? "operations" : "HTTP";
        String property = operations ? "mooring.operations.port" : "mooring.http.port";
        return new FailureAnalysis(
                "Port " + port + " for " + purpose + " is taken or cannot be bound.",
                "Stop what listens there, or set " + property + " to another port.",
                e);
    }

    private static @Nullable FailureAnalysis badValue(BindException e) {
        ConfigurationProperty property = e.getProperty();
        InvalidValueException invalid = find(e, InvalidValueException.class);
        if (invalid != null) {
            return new FailureAnalysis(
                    e.getName() + "." + invalid.field() + ": " + invalid.value() + " (expected: " + invalid.expected()
                            + ").",
                    "Correct the value; docs/operations.md lists the properties.",
                    e);
        }
        ConversionFailedException conversion = find(e, ConversionFailedException.class);
        if (property == null || conversion == null) {
            return null; // unknown fields and the like: Spring Boot's own words are good
        }
        String type = conversion.getTargetType().getType().getSimpleName();
        return new FailureAnalysis(
                e.getName() + ": " + InvalidValueException.shown(String.valueOf(property.getValue())) + " (expected: "
                        + expectation(type) + ").",
                "Correct the value" + (property.getOrigin() == null ? "" : " in " + property.getOrigin())
                        + "; docs/operations.md lists the properties.",
                e);
    }

    private static String expectation(String type) {
        return switch (type) {
            case "Duration" -> "a duration such as 15s or 500ms";
            case "int", "Integer", "long", "Long" -> "a whole number";
            case "double", "Double" -> "a number";
            case "boolean", "Boolean" -> "true or false";
            default -> type;
        };
    }

    private static <T extends Throwable> @Nullable T find(Throwable failure, Class<T> type) {
        int depth = 0;
        for (Throwable t = failure; t != null && depth < 64; t = t.getCause(), depth++) {
            if (type.isInstance(t)) {
                return type.cast(t);
            }
        }
        return null;
    }
}
