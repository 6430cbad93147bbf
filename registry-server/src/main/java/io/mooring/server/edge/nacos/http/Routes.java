package io.mooring.server.edge.nacos.http;

import io.mooring.server.edge.nacos.http.Route.Handler;
import io.mooring.server.edge.nacos.http.Route.Trait;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Every operation there is, by path and method. */
final class Routes {
    private static final String STATUSES = "/v2/ns/instance/statuses/";

    private final Map<String, Map<String, Route>> byPath = new HashMap<>();

    /** The parts that answer. */
    record Handlers(
            Instances instances,
            Batches batches,
            Services services,
            Catalog catalog,
            Clients clients,
            Operator operator,
            Members members,
            Console console,
            Logins logins) {}

    Routes(Handlers all) {
        clients(all);
        services(all);
        operations(all);
        loaders(all);
        console(all);
    }

    private void clients(Handlers all) {
        Instances instances = all.instances();
        for (String base : new String[] {"/v1/ns/instance", "/v2/ns/instance", "/v3/admin/ns/instance"}) {
            add("POST", base, instances::register);
            add("DELETE", base, instances::deregister);
            add("PUT", base, instances::update);
            add("GET", base, instances::get);
            add("PUT", base + "/metadata/batch", all.batches()::put);
            add("DELETE", base + "/metadata/batch", all.batches()::delete);
        }
        for (String base : new String[] {"/v1/ns/instance", "/v2/ns/instance"}) {
            add("PATCH", base, instances::patch, Trait.BARE);
            add("GET", base + "/list", instances::list);
            add("PUT", base + "/beat", instances::beat, Trait.BARE);
            add(
                    "GET",
                    base + "/statuses",
                    call -> instances.statuses(call, call.parameters().required("key")),
                    Trait.BARE);
        }
        add("GET", STATUSES, call -> instances.statuses(call, call.rest(STATUSES)), Trait.BARE);
        add("PUT", "/v3/admin/ns/instance/partial", instances::patch);
        add("GET", "/v3/admin/ns/instance/list", instances::listOfInstances);
        add("POST", "/v3/client/ns/instance", instances::register);
        add("DELETE", "/v3/client/ns/instance", instances::deregister);
        add("GET", "/v3/client/ns/instance/list", instances::listOfDefaultCluster);
        for (String path : new String[] {"/v1/auth/users/login", "/v1/auth/login", "/v3/auth/user/login"}) {
            add("POST", path, all.logins()::login, Trait.BARE, Trait.OPEN, Trait.ALWAYS);
        }
    }

    private void services(Handlers all) {
        Services services = all.services();
        for (String base : new String[] {"/v1/ns/service", "/v2/ns/service", "/v3/admin/ns/service"}) {
            add("POST", base, services::create);
            add("PUT", base, services::update);
            add("DELETE", base, services::delete);
            add("GET", base, services::get);
            add("GET", base + "/subscribers", services::subscribers);
            add("GET", base + "/selector/types", services::selectorTypes);
        }
        add("GET", "/v1/ns/service/list", services::list);
        add("GET", "/v2/ns/service/list", services::list);
        add("GET", "/v1/ns/service/names", services::names);
        add("GET", "/v1/ns/catalog/services", all.catalog()::services);
        add("GET", "/v1/ns/catalog/service", all.catalog()::service);
        add("GET", "/v1/ns/catalog/instances", all.catalog()::instances);
        add("GET", "/v2/ns/catalog/instances", all.catalog()::instances);
        add("GET", "/v3/admin/ns/service/list", all.catalog()::services);
        add("GET", "/v2/ns/client/service/publisher/list", all.catalog()::publishers);
        add("GET", "/v3/admin/ns/client/service/publisher/list", all.catalog()::publishers);
        add("GET", "/v2/ns/client/service/subscriber/list", all.catalog()::subscribers);
        add("GET", "/v3/admin/ns/client/service/subscriber/list", all.catalog()::subscribers);
        for (String base : new String[] {"/v2/ns/client", "/v3/admin/ns/client"}) {
            add("GET", base, all.clients()::get);
            add("GET", base + "/list", all.clients()::ids);
            add("GET", base + "/publish/list", all.clients()::published);
            add("GET", base + "/subscribe/list", all.clients()::subscribed);
        }
        add("GET", "/v3/admin/ns/client/distro", all.operator()::responsible);
        add("PUT", "/v1/ns/cluster", services::updateCluster);
        add("PUT", "/v3/admin/ns/cluster", services::updateCluster);
    }

    private void operations(Handlers all) {
        Operator operator = all.operator();
        String[] operators = {
            "/v1/ns/operator",
            "/v1/ns/ops",
            "/v2/ns/operator",
            "/v2/ns/ops",
            "/v3/admin/ns/operator",
            "/v3/admin/ns/ops"
        };
        for (String base : operators) {
            add("GET", base + "/metrics", operator::metrics, Trait.ALWAYS);
            add("GET", base + "/switches", operator::switches, Trait.ALWAYS);
            add(
                    "PUT",
                    base + "/switches",
                    notOffered("switches are fixed; what can be set is set by properties of the node"));
            add("PUT", base + "/log", notOffered("log levels are set by properties of the node, logging.level.*"));
            add("GET", base + "/servers", all.members()::servers, Trait.ALWAYS);
            add("GET", base + "/distro/client", operator::responsible);
        }
        for (String base : new String[] {"/v1/ns/health", "/v2/ns/health", "/v3/admin/ns/health"}) {
            add("PUT", base, operator::reportHealth);
            add("PUT", base + "/instance", operator::reportHealth);
            add("GET", base + "/checkers", operator::checkers);
        }
        add("GET", "/v1/ns/health/server", operator::greeting);
        Members members = all.members();
        add("GET", "/v1/core/cluster/nodes", members::list, Trait.ALWAYS);
        add("GET", "/v1/core/cluster/self", members::self, Trait.ALWAYS);
        add("GET", "/v1/core/cluster/simple/nodes", members::simple, Trait.ALWAYS);
        add("GET", "/v1/core/cluster/health", members::health, Trait.ALWAYS);
        for (String base : new String[] {"/v2/core/cluster/node", "/v3/admin/core/cluster/node"}) {
            add("GET", base + "/list", members::list, Trait.ALWAYS);
            add("GET", base + "/self", members::self, Trait.ALWAYS);
            add("GET", base + "/self/health", members::health, Trait.ALWAYS);
        }
    }

    /** Connections spread over the nodes by themselves; a single one may be sent away. */
    private void loaders(Handlers all) {
        Handler byThemselves =
                notOffered("connections spread over the nodes by themselves; ask for loader/cluster to see how");
        loaders(all, "/v2/core/loader", "GET", byThemselves);
        loaders(all, "/v3/admin/core/loader", "POST", byThemselves);
    }

    private void loaders(Handlers all, String base, String change, Handler byThemselves) {
        add("GET", base + "/cluster", all.members()::loads);
        add(change, base + "/reloadClient", all.clients()::reload);
        add("GET", base + "/current", notOffered("ask for the clients of this node, ns/client/list"));
        add(change, base + "/reloadCurrent", byThemselves);
        add(change, base + "/smartReloadCluster", byThemselves);
    }

    private void console(Handlers all) {
        Console console = all.console();
        for (String base : new String[] {"/v1/console/health", "/v2/console/health", "/v3/admin/core/state"}) {
            add("GET", base + "/liveness", console::alive, Trait.OPEN, Trait.ALWAYS, Trait.BARE);
            add("GET", base + "/readiness", console::ready, Trait.OPEN, Trait.ALWAYS, Trait.BARE);
        }
        add("GET", "/v1/console/server/state", console::state, Trait.OPEN, Trait.ALWAYS);
        add("GET", "/v3/admin/core/state", console::state, Trait.OPEN, Trait.ALWAYS);
        Handler rename = notOffered("namespaces have an id and no other name; there is nothing to be changed");
        String old = "/v1/console/namespaces";
        add("GET", old, console::namespaces, Trait.ALWAYS);
        add("POST", old, console::create, Trait.ALWAYS);
        add("PUT", old, rename, Trait.ALWAYS);
        add("DELETE", old, console::delete, Trait.ALWAYS);
        for (String base : new String[] {"/v2/console/namespace", "/v3/admin/core/namespace"}) {
            add("GET", base, console::namespace, Trait.ALWAYS);
            add("GET", base + "/list", console::listOfNamespaces, Trait.ALWAYS);
            add("POST", base, console::create, Trait.ALWAYS);
            add("PUT", base, rename, Trait.ALWAYS);
            add("DELETE", base, console::delete, Trait.ALWAYS);
        }
        add("GET", "/v3/admin/core/namespace/check", console::exists, Trait.ALWAYS);
    }

    private static Handler notOffered(String sentence) {
        return call -> {
            throw new FaultException(Fault.NOT_OFFERED, sentence);
        };
    }

    private void add(String method, String path, Handler handler, Trait... traits) {
        Set<Trait> some = EnumSet.noneOf(Trait.class);
        some.addAll(Set.of(traits));
        Route before = byPath.computeIfAbsent(path, p -> new HashMap<>())
                .put(method, new Route(method, path, Set.copyOf(some), handler));
        if (before != null) {
            throw new IllegalStateException("twice: " + method + " " + path);
        }
    }

    /** @param path below {@code /nacos} */
    Optional<Route> find(String method, String path) {
        Map<String, Route> known = byPath.get(path);
        if (known == null && path.startsWith(STATUSES)) {
            known = byPath.get(STATUSES);
        }
        @Nullable Route route = known == null ? null : known.get(method.equals("HEAD") ? "GET" : method);
        return Optional.ofNullable(route);
    }
}
