package io.mooring.server.config;

import io.micrometer.core.instrument.MeterRegistry;
import io.mooring.model.InvalidValueException;
import io.mooring.server.edge.metrics.Refusals;
import io.mooring.server.edge.metrics.UdpMeters;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.edge.nacos.Users;
import io.mooring.server.edge.nacos.http.NacosHttp;
import io.mooring.server.edge.nacos.http.NacosHttpSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.web.WebPort;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerResponse;

/** The interface of Nacos clients on the HTTP port, if there is to be one, and the port that its pushes go out from. */
final class NacosWeb implements SmartLifecycle {
    private final @Nullable NacosHttp http;
    private final EventLoopGroup group;
    private final String bind;
    private volatile boolean running;

    /**
     * @param others who hears of changes by other ways than HTTP and UDP
     * @param connections clients that are connected
     * @param httpPort where it is served, once that is known
     * @param group that sends the pushes
     */
    NacosWeb(
            RegistryNode node,
            MooringProperties properties,
            Users users,
            NacosSubscribers others,
            NacosConnections connections,
            WebPort port,
            IntSupplier httpPort,
            EventLoopGroup group,
            MeterRegistry meters) {
        this.group = group;
        this.bind = properties.bind();
        if (!properties.nacos().enabled()) {
            http = null;
            return;
        }
        MooringProperties.Protection protection = properties.protection();
        NacosHttpSettings settings = new NacosHttpSettings(
                bind,
                httpPort,
                MooringVersion.of(),
                new HealthView.Doubt(protection.share(), protection.atLeast()),
                properties.nacos().udpSubscribers());
        Refusals refusals = new Refusals(meters, "nacos-http");
        UdpMeters udp = new UdpMeters(meters);
        http = new NacosHttp(
                node,
                settings,
                users,
                others,
                connections,
                port,
                refusals::count,
                result -> udp.pushed(result.name().toLowerCase(Locale.ROOT)));
    }

    /** @throws StartRefusedException when the file of users cannot be used */
    static Users users(MooringProperties.Nacos nacos) {
        LongSupplier seconds = () -> TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis());
        String file = nacos.usersFile();
        if (file.isBlank()) {
            return Users.everybody(seconds);
        }
        try {
            return Users.of(Files.readAllBytes(Path.of(file)), seconds);
        } catch (IOException e) {
            throw StartRefusedException.badUsers(file + " cannot be read");
        } catch (InvalidValueException e) {
            throw StartRefusedException.badUsers(file + ": " + e.getMessage());
        }
    }

    /** Everything below {@code /nacos}; nothing if it is not served. */
    Optional<RouterFunction<ServerResponse>> router() {
        return Optional.ofNullable(http).map(NacosHttp::router);
    }

    int udpSubscribers() {
        return http == null ? 0 : http.udpSubscribers();
    }

    @Override
    public void start() {
        running = true;
        if (http == null) {
            return;
        }
        try {
            http.start(group);
        } catch (IOException e) {
            throw StartRefusedException.portTaken(
                    "pushes by UDP", InetSocketAddress.createUnresolved(bind, 0), "mooring.nacos.udp-subscribers", e);
        }
    }

    @Override
    public void stop() {
        running = false;
        if (http != null) {
            http.close();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return 0;
    }
}
