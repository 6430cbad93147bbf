package io.mooring.server.config;

import io.micrometer.core.instrument.MeterRegistry;
import io.mooring.server.edge.health.NodeHealth;
import io.mooring.server.edge.http.HttpEdge;
import io.mooring.server.edge.http.HttpLimits;
import io.mooring.server.edge.http.ProblemValve;
import io.mooring.server.edge.metrics.LineMeters;
import io.mooring.server.edge.metrics.NodeMeters;
import io.mooring.server.edge.metrics.PushMeter;
import io.mooring.server.edge.metrics.Refusals;
import io.mooring.server.edge.nacos.Access;
import io.mooring.server.edge.nacos.Users;
import io.mooring.server.edge.peer.PeerMeter;
import io.mooring.server.edge.peer.PeerSettings;
import io.mooring.server.edge.session.SessionMeter;
import io.mooring.server.edge.session.SessionServer;
import io.mooring.server.edge.session.SessionSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.web.WebLimits;
import io.mooring.server.web.WebPort;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.apache.catalina.core.StandardHost;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jackson.JacksonEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.info.InfoContributorAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.info.InfoEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementContextAutoConfiguration;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.autoconfigure.context.ConfigurationPropertiesAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.AvailabilityProbesAutoConfiguration;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.application.AvailabilityHealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsEndpointAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.jvm.JvmMetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.system.SystemMetricsAutoConfiguration;
import org.springframework.boot.servlet.autoconfigure.actuate.web.ServletManagementContextAutoConfiguration;
import org.springframework.boot.tomcat.TomcatConnectorCustomizer;
import org.springframework.boot.tomcat.TomcatContextCustomizer;
import org.springframework.boot.tomcat.autoconfigure.actuate.web.server.TomcatServletManagementContextAutoConfiguration;
import org.springframework.boot.tomcat.autoconfigure.servlet.TomcatServletWebServerAutoConfiguration;
import org.springframework.boot.webmvc.autoconfigure.DispatcherServletAutoConfiguration;
import org.springframework.boot.webmvc.autoconfigure.actuate.endpoint.web.WebMvcHealthEndpointExtensionAutoConfiguration;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.ServerResponse;
import org.springframework.web.servlet.function.support.HandlerFunctionAdapter;
import org.springframework.web.servlet.function.support.RouterFunctionMapping;

/**
 * Builds the node and its edges, by plain constructors.
 *
 * <p>The parts of Spring Boot that we use are named one by one: what is not in the list does not cost start-up time or
 * memory, and a new jar on the class path changes nothing by being there.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties(MooringProperties.class)
@ImportAutoConfiguration({
    // properties and life cycle
    ConfigurationPropertiesAutoConfiguration.class,
    LifecycleAutoConfiguration.class,
    ApplicationAvailabilityAutoConfiguration.class,
    // HTTP, without WebMvcAutoConfiguration: there are functional routes only, and we write JSON ourselves
    TomcatServletWebServerAutoConfiguration.class,
    DispatcherServletAutoConfiguration.class,
    // operations
    EndpointAutoConfiguration.class,
    WebEndpointAutoConfiguration.class,
    JacksonEndpointAutoConfiguration.class,
    ManagementContextAutoConfiguration.class,
    ServletManagementContextAutoConfiguration.class,
    TomcatServletManagementContextAutoConfiguration.class,
    HealthContributorRegistryAutoConfiguration.class,
    HealthContributorAutoConfiguration.class,
    HealthEndpointAutoConfiguration.class,
    AvailabilityHealthContributorAutoConfiguration.class,
    AvailabilityProbesAutoConfiguration.class,
    WebMvcHealthEndpointExtensionAutoConfiguration.class,
    InfoContributorAutoConfiguration.class,
    InfoEndpointAutoConfiguration.class,
    MetricsAutoConfiguration.class,
    CompositeMeterRegistryAutoConfiguration.class,
    PrometheusMetricsExportAutoConfiguration.class,
    MetricsEndpointAutoConfiguration.class,
    JvmMetricsAutoConfiguration.class,
    SystemMetricsAutoConfiguration.class,
})
public class ServerConfiguration {
    /** Small, so that a reader who takes nothing costs little of the kernel's memory too. */
    private static final String SEND_BUFFER = "65536";

    // ---- the core

    /** Netty's threads, for sessions and probes. */
    @Bean(destroyMethod = "shutdownGracefully")
    EventLoopGroup sessionThreads(MooringProperties properties) {
        return new MultiThreadIoEventLoopGroup(
                properties.session().threads(),
                new DefaultThreadFactory("mooring-io", true),
                NioIoHandler.newFactory()) {
            /** Without Netty's two seconds of grace for tasks that come late: by then all connections are closed. */
            @Override
            public Future<?> shutdownGracefully() {
                return shutdownGracefully(0, 1, TimeUnit.SECONDS);
            }
        };
    }

    @Bean
    LineMeters lineMeters(MeterRegistry meters) {
        return new LineMeters(meters);
    }

    @Bean
    Core core(MooringProperties properties, EventLoopGroup sessionThreads, LineMeters lines) {
        PeerMeter meter = new PeerMeter() {
            @Override
            public void sent(int bytes) {
                lines.sent(bytes);
            }

            @Override
            public void received(int bytes) {
                lines.received(bytes);
            }

            @Override
            public void refused(String code) {
                lines.refused(code);
            }
        };
        return Core.start(properties, sessionThreads, meter);
    }

    @Bean
    PeerPort peerPort(Core core) {
        return new PeerPort(core);
    }

    @Bean
    Drain drain(Core core, MooringProperties properties) {
        return new Drain(core, properties.drain());
    }

    @Bean
    RegistryNode node(Core core) {
        return core.node();
    }

    // ---- sessions

    @Bean
    Sessions sessions(
            RegistryNode node,
            MooringProperties properties,
            EventLoopGroup sessionThreads,
            PushMeter pushes,
            MeterRegistry meters) {
        Refusals refusals = new Refusals(meters, "session");
        SessionMeter meter = new SessionMeter() {
            @Override
            public void pushed(long nanos) {
                pushes.pushed(nanos);
            }

            @Override
            public void refused(String code) {
                refusals.count(code);
            }
        };
        SessionSettings defaults = SessionSettings.defaults(properties.session().port());
        Duration ttl = properties.lease().ttl();
        SessionSettings settings = new SessionSettings(
                properties.bind(),
                defaults.port(),
                properties.session().threads(),
                ttl,
                ttl.dividedBy(3),
                properties.session().reconnectSpread(),
                defaults.helloWithin(),
                defaults.stalledAfter(),
                properties.session().connections(),
                defaults.peers(),
                properties.limits().ofProtocol());
        SessionServer server = new SessionServer(node, settings, meter, sessionThreads);
        node.loop().execute(() -> tellSessionsOfPeers(node, server));
        return new Sessions(server, settings);
    }

    /** On the loop: where else sessions may go, and when they should. */
    private static void tellSessionsOfPeers(RegistryNode node, SessionServer server) {
        SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());
        node.onSessionAddresses(server::peers);
        server.peers(node.sessionAddresses());
        node.movesSessionsBy((within, targets, most) -> {
            if (most == Integer.MAX_VALUE) {
                server.move(within, targets);
            } else {
                server.move(within, targets, most, random);
            }
        });
    }

    // ---- Nacos clients

    /** Who may do what. */
    @Bean
    Users nacosUsers(MooringProperties properties) {
        return NacosWeb.users(properties.nacos());
    }

    /** Who may do what later on. */
    @Bean(initMethod = "start")
    UsersFile nacosUsersFile(MooringProperties properties, Users users) {
        return new UsersFile(properties.nacos().usersFile(), users);
    }

    @Bean
    NacosGrpc nacosGrpc(
            RegistryNode node, MooringProperties properties, Access access, PushMeter pushes, MeterRegistry meters) {
        return new NacosGrpc(node, properties, access, pushes, meters);
    }

    // ---- HTTP

    /** One thread suffices: its tasks never block, and each write, watch and stream has at most two of them in it. */
    @Bean(destroyMethod = "shutdown")
    ScheduledExecutorService httpPump() {
        ScheduledThreadPoolExecutor pump =
                new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "mooring-http-pump"));
        pump.setRemoveOnCancelPolicy(true);
        return pump;
    }

    @Bean
    WebPort webPort(RegistryNode node, MooringProperties properties, ScheduledExecutorService httpPump) {
        WebLimits limits = new WebLimits(
                properties.http().threads() / 2,
                WebLimits.DEFAULTS.writes(),
                WebLimits.DEFAULTS.largeAnswers(),
                outgoingBytes(),
                WebLimits.DEFAULTS.loopWait());
        return new WebPort(node.loop(), httpPump, limits);
    }

    @Bean
    HttpEdge httpEdge(RegistryNode node, MooringProperties properties, MeterRegistry meters, WebPort port) {
        MooringProperties.Http http = properties.http();
        HttpLimits limits = new HttpLimits(http.ttl(), http.ttlMin(), http.ttlMax(), http.watchers(), http.streams());
        Refusals refusals = new Refusals(meters, "http");
        return new HttpEdge(node, limits, MooringVersion.of(), refusals::count, port);
    }

    /** A quarter of the heap for lists on their way to readers, who may be slow. */
    private static long outgoingBytes() {
        return Math.max(WebLimits.DEFAULTS.outgoingBytes(), Runtime.getRuntime().maxMemory() / 4);
    }

    /** Everything below /nacos, then REST, which answers for all other paths. */
    @Bean
    RouterFunction<ServerResponse> httpRoutes(HttpEdge edge, NacosWeb nacos) {
        return nacos.router().map(router -> router.and(edge.router())).orElseGet(edge::router);
    }

    @Bean
    RouterFunctionMapping routerFunctionMapping() {
        return new RoutesWithoutCors();
    }

    @Bean
    HandlerFunctionAdapter handlerFunctionAdapter() {
        return new HandlerFunctionAdapter();
    }

    @Bean
    TomcatContextCustomizer problemsInsteadOfPages() {
        return context -> ((StandardHost) context.getParent()).setErrorReportValveClass(ProblemValve.class.getName());
    }

    @Bean
    TomcatConnectorCustomizer smallSendBuffers() {
        return connector -> connector.setProperty("socket.txBufSize", SEND_BUFFER);
    }

    /** Ends watches and streams before the web server waits for its last requests. */
    @Bean
    SmartLifecycle httpLongLived(HttpEdge edge) {
        return new StopFirst(edge::close);
    }

    @Bean
    NacosWeb nacosWeb(
            RegistryNode node,
            MooringProperties properties,
            Users nacosUsers,
            NacosGrpc nacosGrpc,
            WebPort port,
            EventLoopGroup sessionThreads,
            MeterRegistry meters,
            Environment environment) {
        IntSupplier httpPort = () -> environment.getProperty(
                "local.server.port", Integer.class, properties.http().port());
        return new NacosWeb(
                node,
                properties,
                nacosUsers,
                nacosGrpc.subscribers(),
                nacosGrpc.clients(),
                port,
                httpPort,
                sessionThreads,
                meters);
    }

    // ---- operations

    @Bean
    NodeHealth mooringHealthIndicator(RegistryNode node) {
        return new NodeHealth(node);
    }

    @Bean
    InfoContributor mooringInfo(RegistryNode node) {
        String name = node.status().name();
        return info ->
                info.withDetail("mooring", Map.of("version", MooringVersion.of(), "node", name, "sessionProtocol", 1));
    }

    @Bean
    PushMeter pushMeter(MeterRegistry meters) {
        return new PushMeter(meters);
    }

    @Bean
    NodeMeters nodeMeters(
            Core core,
            PeerPort peers,
            Sessions sessions,
            NacosGrpc nacos,
            NacosWeb nacosWeb,
            HttpEdge edge,
            WebPort port,
            MooringProperties properties) {
        MooringProperties.Limits limits = properties.limits();
        Map<String, Number> bounds = Map.ofEntries(
                Map.entry("instances", limits.instances()),
                Map.entry("services", limits.services()),
                Map.entry("sessions", limits.sessions()),
                Map.entry("session_connections", properties.session().connections()),
                Map.entry("nacos_connections", nacos.mostConnections()),
                Map.entry("peer_connections", PeerSettings.MOST_CONNECTIONS),
                Map.entry("http_connections", properties.http().connections()),
                Map.entry("http_writes", WebLimits.DEFAULTS.writes()),
                Map.entry("http_watchers", properties.http().watchers()),
                Map.entry("http_streams", properties.http().streams()),
                Map.entry("http_answers", WebLimits.DEFAULTS.largeAnswers()),
                Map.entry("http_outgoing", outgoingBytes()),
                Map.entry("nacos_udp_subscribers", properties.nacos().udpSubscribers()));
        List<NodeMeters.Count> counts = List.of(
                new NodeMeters.Count("mooring.loop.backlog", "Tasks that wait for the core", core::backlog),
                new NodeMeters.Count("mooring.session.connections", "Connections of sessions", sessions::connections),
                new NodeMeters.Count(
                        "mooring.nacos.connections", "Connections of Nacos clients over gRPC", nacos::connections),
                new NodeMeters.Count("mooring.peer.connections", "Connections of other nodes", peers::connections),
                new NodeMeters.Count("mooring.http.writes", "Writes that wait for the core", port::writes),
                new NodeMeters.Count("mooring.http.watchers", "Long polls", edge::watchers),
                new NodeMeters.Count("mooring.http.streams", "Streams of events", edge::streams),
                new NodeMeters.Count("mooring.http.answers", "Large answers on their way", port::largeAnswers),
                new NodeMeters.Count("mooring.http.outgoing", "Bytes on their way to readers", port::outgoing),
                new NodeMeters.Count(
                        "mooring.nacos.udp.subscribers",
                        "Services that Nacos clients hear of by UDP, summed over clients",
                        nacosWeb::udpSubscribers));
        return new NodeMeters(core.node(), counts, bounds);
    }
}
