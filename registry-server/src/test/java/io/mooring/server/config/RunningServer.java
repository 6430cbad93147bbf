package io.mooring.server.config;

import io.mooring.server.edge.FakeNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A server on ports of its own with the core replaced by {@link FakeNode}. */
public final class RunningServer implements AutoCloseable {
    private final ConfigurableApplicationContext context;

    @Configuration(proxyBeanMethods = false)
    static class FakeCore {
        @Bean(destroyMethod = "close")
        FakeNode fakeNode() {
            return new FakeNode();
        }
    }

    private RunningServer(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** @param properties beyond the ports and a data directory, {@code --name=value} */
    public static RunningServer start(String... properties) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("--mooring.http.port", "0");
        all.put("--mooring.operations.port", "0");
        all.put("--mooring.session.port", "0");
        all.put(
                "--mooring.data-directory",
                "target/data-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
        for (String property : properties) {
            int equals = property.indexOf('=');
            all.put(property.substring(0, equals), property.substring(equals + 1));
        }
        String[] arguments = all.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .toArray(String[]::new);
        return new RunningServer(
                Application.prepared(ServerConfiguration.class, FakeCore.class).run(arguments));
    }

    public FakeNode node() {
        return context.getBean(FakeNode.class);
    }

    public <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    public int port() {
        return Integer.parseInt(context.getEnvironment().getRequiredProperty("local.server.port"));
    }

    public int operationsPort() {
        return Integer.parseInt(context.getEnvironment().getRequiredProperty("local.management.port"));
    }

    @Override
    public void close() {
        context.close();
    }
}
