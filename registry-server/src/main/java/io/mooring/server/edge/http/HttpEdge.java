package io.mooring.server.edge.http;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.node.ServiceSummary;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.web.Exchange;
import io.mooring.server.web.LoopCalls;
import io.mooring.server.web.WebPort;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.InvalidMimeTypeException;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;
import org.springframework.web.servlet.function.RequestPredicates;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

/**
 * The REST interface {@code /v1}: a table of routes and their handlers.
 *
 * <p>Reads answer from immutable views on the request's thread. Writes hop onto the core's loop and are answered from
 * there; they, watches and streams hold no thread while they wait. Only reading a body may, and half of the threads are
 * kept from that: neither a busy core nor slow senders keep reads from being answered. Every refusal is a
 * {@link Problem}.
 */
public final class HttpEdge {
    private static final Logger log = LoggerFactory.getLogger(HttpEdge.class);
    private static final Duration MOST_WAIT = Duration.ofMinutes(5);
    private static final String EVENTS = "text/event-stream";
    private static final String YAML = "application/yaml";
    private static final Set<String> OF_SERVICE = Set.of("namespace", "group");
    private static final Set<String> OF_INSTANCE = Set.of("namespace", "group", "cluster");
    private static final Set<String> OF_VIEW = Set.of("namespace", "group", "cluster", "metadata", "healthyOnly");

    private static final Problem STOPPING = Problem.of(RefusalCode.STOPPING, "the node stops; ask another one");

    private static final Problem TOO_MUCH_OUT = Problem.overloaded(
            "the node has all the large answers on their way that it has room for; try again, or ask for less");

    private final RegistryNode node;
    private final HttpLimits limits;
    private final String version;
    private final Consumer<String> refused;
    private final WebPort port;
    private final Semaphore watchers;
    private final Semaphore streams;
    private final EncodedViews encoded = new EncodedViews();
    private final Set<Runnable> stops = ConcurrentHashMap.newKeySet(); // as many as watches and streams
    private final List<Route> routes;

    private record Registered(boolean before, Outcome outcome) {}

    /**
     * @param version of this software, for people
     * @param refused hears the code of every problem
     * @param port what it shares with others who are served there
     */
    public HttpEdge(RegistryNode node, HttpLimits limits, String version, Consumer<String> refused, WebPort port) {
        this.node = node;
        this.limits = limits;
        this.version = version;
        this.refused = refused;
        this.port = port;
        this.watchers = new Semaphore(limits.watchers());
        this.streams = new Semaphore(limits.streams());
        this.routes = table();
    }

    private List<Route> table() {
        String instance = "/v1/services/{service}/instances/{instance}";
        String service = "/v1/services/{service}";
        return List.of(
                new Route("PUT", instance, OF_INSTANCE, Reply.JSON, Set.of(200, 201, 422), this::put),
                new Route("PATCH", instance, OF_INSTANCE, Reply.JSON, Set.of(200, 204, 404), this::amend),
                new Route(
                        "DELETE",
                        instance,
                        with(OF_INSTANCE, "force"),
                        Reply.JSON,
                        Set.of(204, 404, 409),
                        this::remove),
                new Route("POST", "/v1/renew", Set.of(), Reply.JSON, Set.of(200, 422), this::renew),
                new Route(
                        "GET",
                        "/v1/services",
                        with(OF_SERVICE, "search", "page", "size"),
                        Reply.JSON,
                        Set.of(200),
                        this::services),
                new Route("GET", service, OF_VIEW, Reply.JSON, Set.of(200, 304), this::view),
                new Route(
                        "GET",
                        service + "/watch",
                        with(OF_VIEW, "revision", "digest", "wait"),
                        Reply.JSON,
                        Set.of(200, 304),
                        this::watch),
                new Route("GET", service + "/events", OF_VIEW, EVENTS, Set.of(200), this::events),
                new Route("GET", "/v1/node", Set.of(), Reply.JSON, Set.of(200), this::node),
                new Route("GET", "/v1/nodes", Set.of(), Reply.JSON, Set.of(200), this::nodes),
                new Route("GET", "/v1/openapi.yaml", Set.of(), YAML, Set.of(200), this::openApi));
    }

    private static Set<String> with(Set<String> some, String... more) {
        Set<String> all = new TreeSet<>(some);
        all.addAll(List.of(more));
        return Set.copyOf(all);
    }

    /** For Spring: every path of the table, and an answer for every other path. */
    public RouterFunction<ServerResponse> router() {
        Map<String, List<Route>> byPath = new LinkedHashMap<>();
        for (Route route : routes) {
            byPath.computeIfAbsent(route.path(), path -> new ArrayList<>()).add(route);
        }
        RouterFunctions.Builder router = RouterFunctions.route();
        byPath.forEach((path, known) -> router.route(
                RequestPredicates.path(path),
                request -> new Exchange((in, out) -> dispatch(known, new Attempt(in, out, request.pathVariables())))));
        router.route(
                RequestPredicates.all(),
                request -> new Exchange((in, out) -> {
                    String path = InvalidValueException.shown(in.getRequestURI());
                    refuse(in, out, Problem.of(RefusalCode.UNKNOWN, "path: " + path + " (see /v1/openapi.yaml)"));
                }));
        return router.build();
    }

    /** Requests that wait for a change now. */
    public int watchers() {
        return limits.watchers() - watchers.availablePermits();
    }

    /** Streams of events now. */
    public int streams() {
        return limits.streams() - streams.availablePermits();
    }

    /** Ends watches and streams, so that their clients go elsewhere and the web server can end in order. */
    public void close() {
        stops.forEach(Runnable::run);
    }

    List<Route> routes() {
        return routes;
    }

    // ---- from request to handler

    private record Attempt(HttpServletRequest in, HttpServletResponse out, Map<String, String> path) {}

    private void dispatch(List<Route> known, Attempt attempt) throws IOException {
        HttpServletRequest in = attempt.in();
        try {
            if (in.getMethod().equals("OPTIONS")) {
                Reply options = new Reply(204, null, new byte[0], Map.of("Allow", String.join(", ", allowed(known))));
                send(in, attempt.out(), options);
                return;
            }
            Optional<Reply> reply = handle(route(known, in.getMethod()), attempt);
            if (reply.isPresent()) {
                send(in, attempt.out(), reply.get());
            }
        } catch (ProblemException e) {
            refuse(in, attempt.out(), e.problem());
        } catch (InvalidValueException e) {
            refuse(in, attempt.out(), Problem.of(e));
        } catch (RuntimeException e) {
            log.error("A request failed: {} {}. This is a bug, please report it.", in.getMethod(), shownPath(in), e);
            refuse(in, attempt.out(), Problem.of(RefusalCode.INTERNAL, "a bug, logged on the node"));
        }
    }

    private Optional<Reply> handle(Route route, Attempt attempt) throws IOException {
        HttpServletRequest in = attempt.in();
        if (in.getRequestURI().indexOf(';') >= 0) {
            throw new InvalidValueException("path", in.getRequestURI(), "no ';'");
        }
        checkAccepted(in, route.produces());
        Query query = new Query(in.getQueryString(), route.parameters());
        return route.handler().handle(new Call(in, attempt.out(), attempt.path(), query, port));
    }

    private static Route route(List<Route> known, String method) {
        for (Route route : known) {
            boolean head = method.equals("HEAD") && route.method().equals("GET") && !longLived(route);
            if (head || route.method().equals(method)) {
                return route;
            }
        }
        throw new ProblemException(Problem.methodNotAllowed(method, allowed(known)));
    }

    private static List<String> allowed(List<Route> known) {
        TreeSet<String> methods = new TreeSet<>(Set.of("OPTIONS"));
        for (Route route : known) {
            methods.add(route.method());
            if (route.method().equals("GET") && !longLived(route)) {
                methods.add("HEAD");
            }
        }
        return List.copyOf(methods);
    }

    private static boolean longLived(Route route) {
        return route.path().endsWith("/watch") || route.path().endsWith("/events");
    }

    private static void checkAccepted(HttpServletRequest in, String produces) {
        String accept = in.getHeader("Accept");
        if (accept == null || accept.isBlank()) {
            return;
        }
        MimeType ours = MimeTypeUtils.parseMimeType(produces);
        try {
            for (MimeType wanted : MimeTypeUtils.parseMimeTypes(accept)) {
                String quality = wanted.getParameter("q");
                if (wanted.includes(ours) && (quality == null || !quality.matches("0(\\.0*)?"))) {
                    return;
                }
            }
        } catch (InvalidMimeTypeException e) {
            throw new InvalidValueException("Accept", accept, "a list of media types with " + produces);
        }
        throw new ProblemException(Problem.of(
                Problem.NOT_ACCEPTABLE,
                "Accept: " + InvalidValueException.shown(accept) + " (expected: a list with " + produces + ")"));
    }

    private void refuse(HttpServletRequest in, HttpServletResponse out, Problem problem) throws IOException {
        refused.accept(problem.code());
        if (!out.isCommitted()) {
            out.reset();
            if (problem.code().equals(RefusalCode.TOO_SLOW)) {
                out.setHeader("Connection", "close");
            }
            send(in, out, Reply.of(problem));
        }
    }

    private void send(HttpServletRequest in, HttpServletResponse out, Reply reply) throws IOException {
        if (!port.send(in, out, reply::head, reply.body())) {
            refuse(in, out, TOO_MUCH_OUT);
        }
    }

    /** For an answer that comes later; on the pump. */
    private void sendLater(AsyncContext async, Reply reply) {
        if (!port.sendLater(async, reply::head, reply.body())) {
            refused.accept(TOO_MUCH_OUT.code());
            sendLater(async, Reply.of(TOO_MUCH_OUT));
        }
    }

    private static String shownPath(HttpServletRequest in) {
        return InvalidValueException.shown(in.getRequestURI());
    }

    // ---- writes

    private Optional<Reply> put(Call call) throws IOException {
        JsonBody.Publication said = JsonBody.publication(call.body());
        InstanceId id = call.instance();
        if (id.port() == 0) {
            throw new InvalidValueException("port", 0, "1-65535");
        }
        Duration ttl = said.ttl() == null
                ? limits.defaultTtl()
                : DurationText.parse("ttl", said.ttl(), limits.leastTtl(), limits.mostTtl());
        Instance instance =
                changed(Instance.of(id.service(), id.host(), id.port()).withId(id), said);
        return later(
                call,
                (Consumer<Registered> reply) -> {
                    boolean before = listed(node.view(id.service()), id).isPresent();
                    node.put(instance, LeaseTerms.of(ttl), outcome -> reply.accept(new Registered(before, outcome)));
                },
                registered -> {
                    accepted(registered.outcome());
                    return Reply.json(registered.before() ? 200 : 201, Json.lease(instance, ttl));
                });
    }

    private Optional<Reply> amend(Call call) throws IOException {
        JsonBody.Publication said = JsonBody.publication(call.body());
        InstanceId id = call.instance();
        if (said.changesNothing()) {
            throw new ProblemException(Problem.missing("weight, enabled or metadata", "at least one of them"));
        }
        return later(
                call, (Consumer<Outcome> reply) -> node.amend(id, before -> changed(before, said), reply), outcome -> {
                    accepted(outcome);
                    Optional<ListedInstance> now = listed(node.view(id.service()), id);
                    // It may have left since; the change itself was accepted.
                    return now.isPresent()
                            ? Reply.json(200, Json.instance(now.get().instance()))
                            : Reply.empty(204);
                });
    }

    private Optional<Reply> remove(Call call) throws IOException {
        call.body();
        InstanceId id = call.instance();
        boolean force = call.query().flag("force");
        String actor = call.actor();
        return later(call, (Consumer<Outcome> reply) -> node.remove(id, force, actor, reply), outcome -> {
            accepted(outcome);
            return Reply.empty(204);
        });
    }

    private Optional<Reply> renew(Call call) throws IOException {
        List<InstanceId> instances = JsonBody.instances(call.body());
        return later(
                call,
                (Consumer<List<InstanceId>> reply) -> node.renew(instances, reply),
                unknown -> Reply.json(200, Json.renewed(instances.size() - unknown.size(), unknown)));
    }

    /** Does {@code task} on the loop and answers when it has, without holding a thread meanwhile. */
    private <T> Optional<Reply> later(Call call, Consumer<Consumer<T>> task, Function<T, Reply> answer) {
        AsyncContext async = call.request().startAsync();
        async.setTimeout(0); // the pump's timer ends it
        port.onLoop(task, result -> sendLater(async, reply(answer, result)), failure -> {
            Problem problem = problem(failure);
            refused.accept(problem.code());
            sendLater(async, Reply.of(problem));
        });
        return Optional.empty();
    }

    private static Problem problem(LoopCalls.Failure failure) {
        return failure == LoopCalls.Failure.BUG
                ? Problem.of(RefusalCode.INTERNAL, failure.sentence())
                : Problem.overloaded(failure.sentence());
    }

    private <T> Reply reply(Function<T, Reply> answer, T result) {
        try {
            return answer.apply(result);
        } catch (ProblemException e) {
            refused.accept(e.problem().code());
            return Reply.of(e.problem());
        }
    }

    private static void accepted(Outcome outcome) {
        if (outcome instanceof Outcome.Refused refusal) {
            throw new ProblemException(Problem.of(refusal));
        }
    }

    private static Instance changed(Instance before, JsonBody.Publication said) {
        Instance after = before;
        if (said.weight() != null) {
            after = after.withWeight(said.weight());
        }
        if (said.enabled() != null) {
            after = after.withEnabled(said.enabled());
        }
        return said.metadata() == null ? after : after.withMetadata(said.metadata());
    }

    private static Optional<ListedInstance> listed(ServiceView view, InstanceId id) {
        List<ListedInstance> instances = view.instances();
        int low = 0;
        int high = instances.size() - 1;
        while (low <= high) { // they are in the order of their ids, and there may be many
            int middle = (low + high) >>> 1;
            int order = instances.get(middle).id().compareTo(id);
            if (order == 0) {
                return Optional.of(instances.get(middle));
            }
            low = order < 0 ? middle + 1 : low;
            high = order < 0 ? high : middle - 1;
        }
        return Optional.empty();
    }

    // ---- reads

    private Optional<Reply> services(Call call) {
        Query query = call.query();
        String namespace = ServiceKey.checkedNamespace(query.one("namespace", ServiceKey.DEFAULT_NAMESPACE));
        Optional<String> group = query.one("group");
        group.ifPresent(g -> new ServiceKey(namespace, g, "any")); // checks it
        String search = query.one("search", "").toLowerCase(Locale.ROOT);
        int page = query.number("page", 1, 1, 1_000_000);
        int size = query.number("size", 50, 1, 500);
        List<ServiceSummary> all = new ArrayList<>();
        for (ServiceSummary summary : node.services(namespace)) {
            ServiceKey key = summary.service();
            boolean asked = group.isEmpty() || key.group().equals(group.get());
            if (asked && key.name().toLowerCase(Locale.ROOT).contains(search)) {
                all.add(summary);
            }
        }
        return Optional.of(Reply.json(200, Json.services(all, page, size)));
    }

    private Optional<Reply> view(Call call) {
        ServiceKey service = call.service();
        Selection selection = Selection.of(call.query());
        ServiceView view = node.view(service);
        boolean incomplete = node.status().incomplete();
        String has = call.request().getHeader("If-None-Match");
        if (has != null && matches(has, Reply.tag(view, incomplete))) {
            return Optional.of(Reply.notModified(view, incomplete));
        }
        return Optional.of(Reply.view(view, incomplete, encoded.json(view, selection, incomplete)));
    }

    private static boolean matches(String header, String tag) {
        for (String part : header.split(",", -1)) {
            String one = part.strip();
            if (one.equals("*") || one.equals(tag) || one.equals("W/" + tag)) {
                return true;
            }
        }
        return false;
    }

    private Optional<Reply> watch(Call call) {
        ServiceKey service = call.service();
        Query query = call.query();
        Selection selection = Selection.of(query);
        OptionalLong revision = query.number("revision");
        Optional<String> digestText = query.one("digest");
        if (revision.isPresent() && digestText.isPresent()) {
            throw new InvalidValueException("digest", digestText.get(), "either revision or digest");
        }
        OptionalLong digest =
                digestText.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Digest.parse("digest", digestText.get()));
        Duration wait = DurationText.parse("wait", query.one("wait", "30s"), Duration.ZERO, MOST_WAIT);
        Predicate<ServiceView> known = view -> revision.isPresent() && view.revision() == revision.getAsLong()
                || digest.isPresent() && view.digest() == digest.getAsLong();
        ServiceView now = node.view(service);
        if (!known.test(now)) {
            boolean incomplete = node.status().incomplete();
            return Optional.of(Reply.view(now, incomplete, encoded.json(now, selection, incomplete)));
        }
        if (!watchers.tryAcquire()) {
            throw new ProblemException(Problem.overloaded(
                    "the node has " + limits.watchers() + " watchers already; poll, or ask another"));
        }
        AsyncContext async = call.request().startAsync();
        async.setTimeout(wait.plusSeconds(30).toMillis()); // the loop's timer comes first
        Watch.Answer answer = (context, view, incomplete, changed) -> port.pump()
                .execute(() -> sendLater(
                        context,
                        changed
                                ? Reply.view(view, incomplete, encoded.json(view, selection, incomplete))
                                : Reply.notModified(view, incomplete)));
        Watch watch = new Watch(node, service, known, async, answer);
        Runnable stop = () -> watch.stop(() -> port.pump().execute(() -> sendLater(async, Reply.of(STOPPING))));
        stops.add(stop);
        watch.whenOver(() -> {
            stops.remove(stop);
            watchers.release();
        });
        async.addListener(watch);
        node.loop().execute(() -> watch.start(wait, OptionalLong.of(now.digest())));
        return Optional.empty();
    }

    private Optional<Reply> events(Call call) throws IOException {
        ServiceKey service = call.service();
        Selection selection = Selection.of(call.query());
        if (!streams.tryAcquire()) {
            throw new ProblemException(
                    Problem.overloaded("the node has " + limits.streams() + " streams already; poll, or ask another"));
        }
        HttpServletResponse out = call.response();
        out.setContentType(EVENTS);
        out.setCharacterEncoding("UTF-8");
        out.setHeader("Cache-Control", "no-store");
        out.setHeader("X-Accel-Buffering", "no");
        AsyncContext async = call.request().startAsync();
        async.setTimeout(0);
        EventStream stream = new EventStream(node, service, selection, async, port, encoded);
        Runnable stop = stream::end;
        stops.add(stop);
        stream.whenOver(() -> {
            stops.remove(stop);
            streams.release();
        });
        stream.start();
        return Optional.empty();
    }

    private Optional<Reply> node(Call call) {
        return Optional.of(Reply.json(200, Json.node(node.status(), version)));
    }

    private Optional<Reply> nodes(Call call) {
        return Optional.of(Reply.json(200, Json.nodes(node.status())));
    }

    private Optional<Reply> openApi(Call call) throws IOException {
        try (InputStream in = openApiResource()) {
            return Optional.of(new Reply(200, YAML, in.readAllBytes(), Map.of()));
        }
    }

    private static InputStream openApiResource() {
        InputStream in = HttpEdge.class.getResourceAsStream("/openapi.yaml");
        if (in == null) {
            throw new UncheckedIOException(new IOException("openapi.yaml is missing from the jar"));
        }
        return in;
    }
}
