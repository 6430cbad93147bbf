package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.Instance;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.durable.InterfaceKey;
import io.mooring.server.edge.nacos.NacosRefusal;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What each request means. Confined to the I/O thread; what changes something hops onto the event loop and back. */
final class Requests {
    private static final Logger log = LoggerFactory.getLogger(Requests.class);

    /** Requests about services and the connection, and what their answers are called. */
    private static final Map<String, String> ANSWERS = Map.of(
            "ServerCheckRequest", "ServerCheckResponse",
            "HealthCheckRequest", "HealthCheckResponse",
            "InstanceRequest", "InstanceResponse",
            "BatchInstanceRequest", "BatchInstanceResponse",
            "PersistentInstanceRequest", "InstanceResponse",
            "ServiceQueryRequest", "QueryServiceResponse",
            "SubscribeServiceRequest", "SubscribeServiceResponse",
            "ServiceListRequest", "ServiceListResponse",
            "NamingFuzzyWatchRequest", "NamingFuzzyWatchResponse");

    /** Those of configuration, which are refused but for {@link Interfaces}. */
    private static final Map<String, String> OF_CONFIGURATION = Map.of(
            "ConfigQueryRequest", "ConfigQueryResponse",
            "ConfigPublishRequest", "ConfigPublishResponse",
            "ConfigRemoveRequest", "ConfigRemoveResponse",
            "ConfigBatchListenRequest", "ConfigChangeBatchListenResponse",
            "ConfigFuzzyWatchRequest", "ConfigFuzzyWatchResponse");

    private static final String ERROR = "ErrorResponse";

    /** The types that are known; all others are counted together, so that a client cannot make up meters. */
    static final Set<String> TYPES = Stream.of(ANSWERS, OF_CONFIGURATION)
            .flatMap(types -> types.keySet().stream())
            .collect(Collectors.toUnmodifiableSet());

    /** What changes the client as tools show it. */
    private static final Set<String> UPDATES =
            Set.of("InstanceRequest", "BatchInstanceRequest", "SubscribeServiceRequest");

    private static final NacosRefusal BUG =
            new NacosRefusal(NacosRefusal.SERVER_ERROR, "a bug, logged on the node", "internal");
    private static final NacosRefusal LOG_IN =
            new NacosRefusal(NacosRefusal.FORBIDDEN, "Code: 401, Message: log in; no valid accessToken", "forbidden");
    private static final byte[] NO_FIELDS = {'{', '}'};

    private final NacosGrpcServer host;

    Requests(NacosGrpcServer host) {
        this.host = host;
    }

    /**
     * What a refusal is called. A Java client that gets an {@code ErrorResponse} asks twice again and then leaves this connection,
     * with everything it has registered; so that is only for those who are to connect anew or elsewhere. All others get the
     * answer they wait for, which says that it failed.
     */
    static String refusalType(String request) {
        String typed = ANSWERS.get(request);
        return typed == null ? OF_CONFIGURATION.getOrDefault(request, ERROR) : typed;
    }

    void handle(Connection connection, Payload payload, Answer answer) {
        connection.heard();
        String type = payload.type();
        if (payload.problem() != null) {
            answer.refuse("", new NacosRefusal(NacosRefusal.UNREADABLE, payload.problem(), "malformed"));
            return;
        }
        if (!TYPES.contains(type)) {
            answer.refuse("", unknown(type));
            return;
        }
        Request request = new Request();
        try {
            request.read(payload.body().length == 0 ? NO_FIELDS : payload.body());
            handle(connection, payload, request, answer);
        } catch (IOException e) {
            answer.refuse(
                    request.requestId,
                    new NacosRefusal(NacosRefusal.UNREADABLE, "the body of " + type + " is not JSON", "malformed"));
        } catch (InvalidValueException e) {
            answer.refuse(request.requestId, NacosRefusal.of(e));
        } catch (RuntimeException e) {
            log.error("A request failed. This is a bug, please report it.", e);
            if (!answer.isGiven()) {
                answer.refuse(request.requestId, BUG);
            }
        }
    }

    private static NacosRefusal unknown(String type) {
        String shown = InvalidValueException.shown(type);
        return new NacosRefusal(
                NacosRefusal.NO_HANDLER,
                type.startsWith("Config")
                        ? "Mooring keeps no configuration; " + shown + " needs a configuration server"
                        : "there is no handler for " + shown,
                "unknown");
    }

    private void handle(Connection connection, Payload payload, Request request, Answer answer) {
        switch (payload.type()) {
            case "ServerCheckRequest" -> check(connection, request, answer);
            case "HealthCheckRequest" -> {
                if (connection.isSetUp()) {
                    answer.well(request.requestId, "");
                } else {
                    answer.refuse(ERROR, request.requestId, Session.notConnected());
                }
            }
            default -> {
                if (OF_CONFIGURATION.containsKey(payload.type())) {
                    configuration(connection, payload, request, answer);
                } else {
                    naming(connection, payload, request, answer);
                }
            }
        }
    }

    /** Who is not welcome yet, or not any more, tries the next server. */
    private void check(Connection connection, Request request, Answer answer) {
        if (host.node().status().ready()) {
            answer.well(
                    request.requestId,
                    ",\"connectionId\":\"" + connection.id() + "\",\"supportAbilityNegotiation\":true");
        } else {
            answer.refuse(
                    ERROR,
                    request.requestId,
                    new NacosRefusal(
                            NacosRefusal.NOT_READY, "this node is starting or leaving; try another", "overloaded"));
        }
    }

    private void naming(Connection connection, Payload payload, Request request, Answer answer) {
        Session session = connection.session().orElse(null);
        Pushes pushes = connection.pushes().orElse(null);
        if (session == null || pushes == null) {
            answer.refuse(ERROR, request.requestId, Session.notConnected());
            return;
        }
        if (isKeptOut(payload)) {
            answer.refuse(request.requestId, LOG_IN);
            return;
        }
        if (UPDATES.contains(payload.type())) {
            connection.updated();
        }
        switch (payload.type()) {
            case "InstanceRequest" -> instance(session, request, answer);
            case "BatchInstanceRequest" -> batch(session, request, answer);
            case "PersistentInstanceRequest" -> persistent(request, answer);
            case "ServiceQueryRequest" -> query(connection, request, answer);
            case "SubscribeServiceRequest" -> subscribe(connection, session, pushes, request, answer);
            case "ServiceListRequest" -> services(request, answer);
            case "NamingFuzzyWatchRequest" -> watch(connection, request, answer);
            default -> answer.refuse(request.requestId, unknown(payload.type()));
        }
    }

    private boolean isKeptOut(Payload payload) {
        return host.access().required() && !host.access().allows(payload.token());
    }

    // ---- configuration

    /** On connections that have no session: it lives as long as somebody keeps it, not as long as who said so. */
    private void configuration(Connection connection, Payload payload, Request request, Answer answer) {
        String type = payload.type();
        Interfaces.Ours listening = connection.interfaces().orElse(null);
        boolean ofMapping = type.equals("ConfigBatchListenRequest")
                ? request.listened.stream().anyMatch(Interfaces.Named::isMapping)
                : request.named().isMapping();
        if (!ofMapping) {
            answer.refuse(request.requestId, unknown(type));
        } else if (listening == null) {
            answer.refuse(ERROR, request.requestId, Session.notConnected());
        } else if (isKeptOut(payload)) {
            answer.refuse(request.requestId, LOG_IN);
        } else {
            mapping(listening, type, request, answer);
        }
    }

    private void mapping(Interfaces.Ours listening, String type, Request request, Answer answer) {
        switch (type) {
            case "ConfigQueryRequest" -> host.interfaces().query(request.named().key(), request.requestId, answer);
            case "ConfigBatchListenRequest" ->
                listening.listen(request, answer).ifPresent(refusal -> answer.refuse(request.requestId, refusal));
            case "ConfigPublishRequest" -> {
                InterfaceKey of = request.named().key();
                List<String> applications = Interfaces.read(request.content);
                write(
                        request,
                        answer,
                        reply -> host.node()
                                .addApplications(of, applications, outcome -> reply.accept(Session.refusal(outcome))));
            }
            case "ConfigRemoveRequest" -> {
                InterfaceKey of = request.named().key();
                write(
                        request,
                        answer,
                        reply -> host.node().removeApplications(of, outcome -> reply.accept(Session.refusal(outcome))));
            }
            default -> answer.refuse(request.requestId, unknown(type));
        }
    }

    // ---- publishing

    private void instance(Session session, Request request, Answer answer) {
        ServiceKey service = request.service();
        switch (request.type) {
            case "registerInstance" -> {
                List<Instance> one = List.of(request.instance(service));
                write(request, answer, reply -> session.publish(service, one, reply));
            }
            case "deregisterInstance" ->
                // What this connection has published, whatever the request says of the address.
                write(request, answer, reply -> session.withdraw(service, reply));
            default -> throw new InvalidValueException("type", request.type, "registerInstance or deregisterInstance");
        }
    }

    private void batch(Session session, Request request, Answer answer) {
        ServiceKey service = request.service();
        if (!request.type.equals("batchRegisterInstance")) {
            throw new InvalidValueException("type", request.type, "batchRegisterInstance");
        }
        List<Instance> all = request.instances(service);
        write(request, answer, reply -> session.publish(service, all, reply));
    }

    /** The one place for instances that outlive their connections. */
    private void persistent(Request request, Answer answer) {
        Instance instance = request.instance(request.service());
        switch (request.type) {
            case "registerInstance" ->
                write(
                        request,
                        answer,
                        reply ->
                                host.node().putPersistent(instance, outcome -> reply.accept(Session.refusal(outcome))));
            case "deregisterInstance" ->
                // No connection has it, so here the address counts.
                write(
                        request,
                        answer,
                        reply -> host.node()
                                .removePersistent(instance.id(), outcome -> reply.accept(Session.refusal(outcome))));
            default -> throw new InvalidValueException("type", request.type, "registerInstance or deregisterInstance");
        }
    }

    private interface Write {
        void onLoop(Consumer<@Nullable NacosRefusal> reply);
    }

    private void write(Request request, Answer answer, Write write) {
        Crossing crossing = host.crossing();
        Consumer<@Nullable NacosRefusal> reply = refusal -> crossing.toIo(() -> {
            if (refusal == null) {
                String type = request.type.isEmpty() ? "" : ",\"type\":\"" + request.type + '"';
                answer.well(request.requestId, type);
            } else {
                // To a connection that has ended nothing comes through: no need to tell it to connect anew.
                answer.refuse(request.requestId, refusal);
            }
        });
        crossing.toLoop(() -> {
            try {
                write.onLoop(reply);
            } catch (RuntimeException e) {
                log.error("A request failed in the core. This is a bug, please report it.", e);
                reply.accept(BUG);
            }
        });
    }

    // ---- reading

    private void query(Connection connection, Request request, Answer answer) {
        ServiceView view = host.node().view(request.service());
        connection.pushes().ifPresent(pushes -> pushes.queried(view.service()));
        SharedText list = host.lists().of(view, request.clusters, request.healthyOnly);
        list(connection, list, request, answer);
    }

    private void subscribe(Connection connection, Session session, Pushes pushes, Request request, Answer answer) {
        if (!request.subscribe) {
            unsubscribe(connection, session, pushes, request, answer);
            return;
        }
        ServiceKey service = request.service();
        int most = host.settings().subscriptions();
        if (pushes.count() >= most && !pushes.has(service, request.clusters)) {
            answer.refuse(
                    request.requestId,
                    new NacosRefusal(
                            NacosRefusal.SERVER_ERROR,
                            "subscriptions: " + pushes.count() + " (expected: at most " + most
                                    + "); unsubscribe from some",
                            "limit"));
            return;
        }
        ServiceView view = host.node().view(service);
        pushes.subscribe(view, request.clusters);
        host.crossing().toLoop(() -> session.subscribe(service, view.digest()));
        list(connection, host.lists().of(view, request.clusters, false), request, answer);
    }

    /** Clients of 2.0 say the group for the name here, and the name for the group. */
    private void unsubscribe(Connection connection, Session session, Pushes pushes, Request request, Answer answer) {
        List<ServiceKey> eitherWay = request.eitherWay();
        ServiceKey service = eitherWay.stream()
                .filter(each -> pushes.has(each, request.clusters))
                .findFirst()
                .orElse(eitherWay.get(0)); // who has not subscribed has what it wants
        if (pushes.unsubscribe(service, request.clusters)) {
            host.crossing().toLoop(() -> session.unsubscribe(service));
        }
        list(connection, host.lists().of(host.node().view(service), request.clusters, false), request, answer);
    }

    private static void list(Connection connection, SharedText list, Request request, Answer answer) {
        answer.list(request.requestId, list, connection.stamps().next());
    }

    private static void watch(Connection connection, Request request, Answer answer) {
        Optional<NacosRefusal> refusal = connection.watches().flatMap(watches -> watches.handle(request));
        if (refusal.isPresent()) {
            answer.refuse(request.requestId, refusal.get());
        } else {
            answer.well(request.requestId, "");
        }
    }

    /** Services with an instance, and those about which something was said, as over HTTP; in their order. */
    private List<String> names(String namespace, String group) {
        NavigableSet<String> names = new TreeSet<>(host.watches().services().of(namespace, group));
        for (ServiceKey service : host.node().servicesWithSettings(namespace)) {
            if (service.group().equals(group)) {
                names.add(service.name());
            }
        }
        return List.copyOf(names);
    }

    private void services(Request request, Answer answer) {
        if (request.pageSize < 1) {
            throw new InvalidValueException("pageSize", request.pageSize, "at least 1");
        }
        List<String> all = names(request.namespace(), request.group());
        long from = Math.min(all.size(), (Math.max(1, request.pageNo) - 1L) * request.pageSize);
        long to = Math.min(all.size(), from + request.pageSize);
        answer.json(json -> {
            json.writeStartObject();
            json.writeNumberField("resultCode", 200);
            json.writeNumberField("errorCode", 0);
            json.writeBooleanField("success", true);
            json.writeStringField("message", "success");
            json.writeNumberField("count", all.size());
            json.writeArrayFieldStart("serviceNames");
            for (String name : all.subList((int) from, (int) to)) {
                json.writeString(name);
            }
            json.writeEndArray();
            if (!request.requestId.isEmpty()) {
                json.writeStringField("requestId", request.requestId);
            }
            json.writeEndObject();
        });
    }
}
