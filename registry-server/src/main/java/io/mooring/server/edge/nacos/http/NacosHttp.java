package io.mooring.server.edge.nacos.http;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.edge.nacos.Users;
import io.mooring.server.edge.nacos.http.Route.Trait;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.web.BodyRefusedException;
import io.mooring.server.web.Exchange;
import io.mooring.server.web.LoopCalls;
import io.mooring.server.web.WebPort;
import io.netty.channel.EventLoopGroup;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.servlet.function.RequestPredicates;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

/**
 * The interface for Nacos clients and tools over HTTP, below {@code /nacos}: a table of routes and their handlers, as the
 * REST interface has one.
 *
 * <p>Reads answer from immutable views on the request's thread. Writes hop onto the core's loop and are answered from there;
 * they hold no thread while they wait. Logging in holds one for the time it takes to try a password, a few of them at most.
 */
public final class NacosHttp {
    private static final Logger log = LoggerFactory.getLogger(NacosHttp.class);
    private static final String CONTEXT = "/nacos";
    private static final Answers.Reply TOO_MUCH_OUT = Answers.plain(
            503, "the node has all the large answers on their way that it has room for; try again, or ask for less");

    private final RegistryNode node;
    private final WebPort port;
    private final Consumer<String> refused;
    private final Logins logins;
    private final UdpPushes pushes;
    private final NacosHttpSettings settings;
    private final Routes routes;

    /**
     * @param users who may ask
     * @param others who hears of changes by other ways than this one's
     * @param connections clients that are connected
     * @param port what it shares with others who are served there
     * @param refused hears the code of every refusal
     * @param meter of pushes by UDP
     */
    public NacosHttp(
            RegistryNode node,
            NacosHttpSettings settings,
            Users users,
            NacosSubscribers others,
            NacosConnections connections,
            WebPort port,
            Consumer<String> refused,
            UdpMeter meter) {
        this.node = node;
        this.settings = settings;
        this.port = port;
        this.refused = refused;
        this.logins = new Logins(users);
        Lists lists = new Lists(node, settings.doubt());
        long number = 1L << 40 | new SecureRandom().nextLong(1L << 51);
        this.pushes = new UdpPushes(
                node,
                new Datagrams(lists, node.clock(), number),
                UdpPushes.Times.DEFAULTS,
                settings.udpSubscribers(),
                meter);
        NacosSubscribers subscribers = service -> subscribers(service, others);
        Members members = new Members(node, settings);
        this.routes = new Routes(new Routes.Handlers(
                new Instances(node, lists, pushes),
                new Batches(node),
                new Services(node, lists, subscribers),
                new Catalog(node, lists, subscribers, connections),
                new Clients(node, connections, pushes),
                new Operator(node, members),
                members,
                new Console(node, lists, users, settings),
                logins));
    }

    private List<NacosSubscribers.Subscriber> subscribers(ServiceKey service, NacosSubscribers others) {
        List<NacosSubscribers.Subscriber> all = new ArrayList<>(pushes.of(service));
        all.addAll(others.of(service));
        return all;
    }

    /**
     * Opens the port that pushes go out from.
     *
     * @throws IOException when there is none
     */
    public void start(EventLoopGroup group) throws IOException {
        if (settings.udpSubscribers() > 0) {
            pushes.start(group, settings.bind());
        }
    }

    /** Ends pushing. */
    public void close() {
        pushes.close();
    }

    /** Clients that hear of changes by UDP now, each service counted. */
    public int udpSubscribers() {
        return pushes.size();
    }

    /** For Spring: every path below {@code /nacos}. */
    public RouterFunction<ServerResponse> router() {
        return RouterFunctions.route()
                .route(
                        RequestPredicates.path(CONTEXT).or(RequestPredicates.path(CONTEXT + "/**")),
                        request -> new Exchange(this::serve))
                .build();
    }

    /** The path below {@code /nacos} as it was sent, but for a slash at its end. */
    static String pathOf(HttpServletRequest request) {
        String path = request.getRequestURI().substring(CONTEXT.length());
        return path.length() > 1 && path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }

    // ---- from request to answer

    private void serve(HttpServletRequest in, HttpServletResponse out) throws IOException {
        String path = pathOf(in);
        try {
            Optional<Route> route = routes.find(in.getMethod(), path);
            if (route.isEmpty()) {
                refused.accept(RefusalCode.UNKNOWN);
                send(in, out, Answers.nothingThere(in.getMethod(), CONTEXT + path));
                return;
            }
            Optional<Answer> answer = handle(in, route.get());
            if (answer.isPresent()) {
                send(in, out, Answers.reply(route.get(), answer.get()));
            }
        } catch (FaultException e) {
            send(in, out, fault(in, e));
        } catch (InvalidValueException e) {
            send(in, out, fault(in, FaultException.of(e)));
        } catch (RuntimeException e) {
            String shown = InvalidValueException.shown(path);
            log.error("A request failed: {} {}. This is a bug, please report it.", in.getMethod(), shown, e);
            send(in, out, fault(in, new FaultException(Fault.SERVER, "a bug, logged on the node")));
        }
    }

    private Optional<Answer> handle(HttpServletRequest in, Route route) {
        if (!route.method().equals("GET")) {
            checkOrigin(in);
        }
        Parameters parameters =
                new Parameters(in.getQueryString(), route.method().equals("GET") ? new byte[0] : form(in));
        if (!route.is(Trait.OPEN)) {
            logins.check(in, parameters);
        }
        if (!route.is(Trait.ALWAYS) && !node.status().ready()) {
            throw new FaultException(
                    Fault.NOT_READY,
                    "server is " + Operator.status(node.status()) + " now, please try again later or at another node");
        }
        return route.handler().handle(new Call(in, route, parameters, new Call.Later() {
            @Override
            public <T> void answer(Consumer<Consumer<T>> task, Function<T, Answer> answer) {
                later(in, route, task, answer);
            }
        }));
    }

    /** A page from elsewhere, open in a browser that reaches this node, can send forms; clients and tools have no origin. */
    private static void checkOrigin(HttpServletRequest in) {
        String origin = in.getHeader("Origin");
        if (origin == null) {
            return;
        }
        String host = String.valueOf(in.getHeader("Host"));
        if (!origin.toLowerCase(Locale.ROOT).endsWith("://" + host.toLowerCase(Locale.ROOT))) {
            throw new FaultException(
                    Fault.FORBIDDEN, "Origin: " + InvalidValueException.shown(origin) + " may change nothing here");
        }
    }

    private byte[] form(HttpServletRequest in) {
        byte[] body;
        try {
            body = port.body(in);
        } catch (BodyRefusedException e) {
            throw FaultException.of(e);
        }
        String type = in.getContentType();
        String expected = "application/x-www-form-urlencoded";
        if (body.length > 0 && type != null && !type.toLowerCase(Locale.ROOT).startsWith(expected)) {
            throw new FaultException(
                    Fault.MEDIA_TYPE,
                    "Content-Type: " + InvalidValueException.shown(type) + " (expected: " + expected + ")");
        }
        return body;
    }

    private <T> void later(HttpServletRequest in, Route route, Consumer<Consumer<T>> task, Function<T, Answer> answer) {
        AsyncContext async = in.startAsync();
        async.setTimeout(0); // the pump's timer ends it
        port.onLoop(
                task,
                result -> sendLater(async, reply(in, route, answer, result)),
                failure -> sendLater(async, fault(in, fault(failure))));
    }

    private <T> Answers.Reply reply(HttpServletRequest in, Route route, Function<T, Answer> answer, T result) {
        try {
            return Answers.reply(route, answer.apply(result));
        } catch (FaultException e) {
            return fault(in, e);
        } catch (RuntimeException e) {
            log.error("An answer failed: {}. This is a bug, please report it.", route.path(), e);
            return fault(in, new FaultException(Fault.SERVER, "a bug, logged on the node"));
        }
    }

    private static FaultException fault(LoopCalls.Failure failure) {
        return new FaultException(
                failure == LoopCalls.Failure.BUG ? Fault.SERVER : Fault.OVERLOADED, failure.sentence());
    }

    private Answers.Reply fault(HttpServletRequest in, FaultException e) {
        refused.accept(e.fault().because());
        return Answers.fault(pathOf(in), in.getRequestURI(), e);
    }

    private void send(HttpServletRequest in, HttpServletResponse out, Answers.Reply reply) throws IOException {
        if (!port.send(in, out, reply::head, reply.body())) {
            refused.accept(RefusalCode.OVERLOADED);
            port.send(in, out, TOO_MUCH_OUT::head, TOO_MUCH_OUT.body());
        }
    }

    private void sendLater(AsyncContext async, Answers.Reply reply) {
        if (!port.sendLater(async, reply::head, reply.body())) {
            refused.accept(RefusalCode.OVERLOADED);
            port.sendLater(async, TOO_MUCH_OUT::head, TOO_MUCH_OUT.body());
        }
    }
}
