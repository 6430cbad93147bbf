package io.mooring.chart;

import io.mooring.server.config.KnownProperties;
import io.mooring.server.config.MooringProperties;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** The server's properties, read from its code and bound as it binds them. */
final class ServerProperties {
    private ServerProperties() {}

    /** By the variable that sets it. */
    static Map<String, String> byVariable() {
        Map<String, String> out = new TreeMap<>();
        KnownProperties.names()
                .forEach(name ->
                        out.put(name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_'), name));
        return out;
    }

    static MooringProperties defaults() {
        return bound(Map.of());
    }

    /** As a server with that environment has them. */
    static MooringProperties bound(Map<String, String> variables) {
        StandardEnvironment environment = new StandardEnvironment();
        environment
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, new TreeMap<>(variables)));
        return Binder.get(environment).bindOrCreate("mooring", MooringProperties.class);
    }
}
