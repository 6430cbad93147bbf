package io.mooring.chart;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * As much of a Kubernetes API server as Helm needs to install something: it says what kinds there are, and keeps objects.
 * Nothing is checked, and nothing comes of what is kept.
 */
final class FakeCluster implements AutoCloseable {
    private record Kind(String group, String resource, String kind) {
        String version() {
            return group.isEmpty() ? "v1" : group + "/v1";
        }
    }

    private static final List<Kind> KINDS = List.of(
            new Kind("", "secrets", "Secret"),
            new Kind("", "services", "Service"),
            new Kind("", "serviceaccounts", "ServiceAccount"),
            new Kind("", "pods", "Pod"),
            new Kind("apps", "statefulsets", "StatefulSet"),
            new Kind("policy", "poddisruptionbudgets", "PodDisruptionBudget"),
            new Kind("networking.k8s.io", "networkpolicies", "NetworkPolicy"),
            new Kind("apiregistration.k8s.io", "apiservices", "APIService"));

    private final JsonMapper json = new JsonMapper();
    private final HttpServer server;
    private final Map<String, Map<String, Object>> objects =
            new TreeMap<>(); // by path; this object's monitor guards it

    FakeCluster() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    /** What Helm is to be given. */
    String kubeConfig() {
        return """
                apiVersion: v1
                kind: Config
                clusters: [{name: fake, cluster: {server: "http://127.0.0.1:%d"}}]
                users: [{name: fake, user: {}}]
                contexts: [{name: fake, context: {cluster: fake, user: fake}}]
                current-context: fake
                """.formatted(server.getAddress().getPort());
    }

    synchronized Optional<Map<String, Object>> secret(String namespace, String name) {
        return Optional.ofNullable(objects.get(secretPath(namespace, name)));
    }

    synchronized void removeSecret(String namespace, String name) {
        objects.remove(secretPath(namespace, name));
    }

    private static String secretPath(String namespace, String name) {
        return "/api/v1/namespaces/" + namespace + "/secrets/" + name;
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Map<String, Object> given = body.length == 0 ? Map.of() : object(exchange, body);
            Map<String, Object> reply =
                    reply(exchange.getRequestMethod(), exchange.getRequestURI().getPath(), query(exchange), given);
            int status = reply.get("code") instanceof Integer code ? code : 200;
            byte[] bytes = json.writeValueAsBytes(reply);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private Map<String, Object> object(HttpExchange exchange, byte[] body) throws IOException {
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        return "application/vnd.kubernetes.protobuf".equals(type)
                ? ProtobufSecret.read(body)
                : Yamls.map(json.readValue(body, Map.class));
    }

    private static String query(HttpExchange exchange) {
        String raw = exchange.getRequestURI().getRawQuery();
        return raw == null ? "" : URLDecoder.decode(raw, StandardCharsets.UTF_8);
    }

    private Map<String, Object> reply(String method, String path, String query, Map<String, Object> given) {
        Map<String, Object> about = discovery(path);
        if (about != null) {
            return about;
        }
        return switch (method) {
            case "GET" -> objects.containsKey(path) ? objects.get(path) : listOrMissing(path, query);
            case "POST" -> put(path + "/" + Yamls.get(given, "metadata.name"), given);
            case "PUT" -> put(path, given);
            case "PATCH" -> put(path, merged(objects.getOrDefault(path, Map.of()), given));
            case "DELETE" -> objects.containsKey(path) ? Yamls.map(objects.remove(path)) : missing(path);
            default -> Map.of("kind", "Status", "status", "Failure", "code", 405);
        };
    }

    private @Nullable Map<String, Object> discovery(String path) {
        if (path.equals("/version")) {
            return Map.of("major", "1", "minor", "32", "gitVersion", "v1.32.0");
        }
        if (path.equals("/api")) {
            return Map.of("kind", "APIVersions", "versions", List.of("v1"));
        }
        if (path.equals("/apis")) {
            List<Object> groups = new ArrayList<>();
            KINDS.stream()
                    .map(Kind::group)
                    .filter(group -> !group.isEmpty())
                    .distinct()
                    .forEach(group -> {
                        Map<String, Object> version = Map.of("groupVersion", group + "/v1", "version", "v1");
                        groups.add(Map.of("name", group, "versions", List.of(version), "preferredVersion", version));
                    });
            return Map.of("kind", "APIGroupList", "apiVersion", "v1", "groups", groups);
        }
        List<Object> resources = new ArrayList<>();
        for (Kind kind : KINDS) {
            if (path.equals((kind.group().isEmpty() ? "/api/" : "/apis/") + kind.version())) {
                resources.add(Map.of(
                        "name",
                        kind.resource(),
                        "singularName",
                        "",
                        "namespaced",
                        !kind.resource().equals("apiservices"),
                        "kind",
                        kind.kind(),
                        "verbs",
                        List.of("create", "delete", "get", "list", "patch", "update", "watch")));
            }
        }
        if (resources.isEmpty()) {
            return null;
        }
        String version = path.replaceFirst("/apis?/", "");
        return Map.of("kind", "APIResourceList", "apiVersion", "v1", "groupVersion", version, "resources", resources);
    }

    private Map<String, Object> listOrMissing(String path, String query) {
        for (Kind kind : KINDS) {
            if (path.endsWith("/" + kind.resource())) {
                List<Object> items = new ArrayList<>();
                objects.forEach((where, object) -> {
                    if (where.startsWith(path + "/") && isSelected(object, query)) {
                        items.add(object);
                    }
                });
                return Map.of(
                        "kind",
                        kind.kind() + "List",
                        "apiVersion",
                        kind.version(),
                        "metadata",
                        Map.of(),
                        "items",
                        items);
            }
        }
        return missing(path);
    }

    /** By {@code labelSelector=a=b,c=d}. */
    private static boolean isSelected(Map<String, Object> object, String query) {
        Map<String, Object> labels =
                Yamls.find(object, "metadata.labels").map(Yamls::map).orElse(Map.of());
        String selector = query.replaceFirst("^(.*&)?labelSelector=", "").replaceFirst("&.*", "");
        return !query.contains("labelSelector=")
                || List.of(selector.split(",")).stream().allMatch(each -> {
                    String[] pair = each.split("=", 2);
                    return pair.length == 2 && pair[1].equals(labels.get(pair[0]));
                });
    }

    private Map<String, Object> put(String path, Map<String, Object> object) {
        Map<String, Object> kept = new LinkedHashMap<>(object);
        Map<String, Object> metadata = Yamls.mapAt(kept, "metadata");
        metadata.putIfAbsent("uid", "00000000-0000-0000-0000-000000000000");
        metadata.put("resourceVersion", "1");
        kept.put("metadata", metadata);
        objects.put(path, kept);
        return kept;
    }

    /** As RFC 7396 has it; what Kubernetes adds for lists is not needed here. */
    private static Map<String, Object> merged(Map<String, Object> old, Map<String, Object> patch) {
        Map<String, Object> out = new LinkedHashMap<>(old);
        patch.forEach((key, value) -> {
            if (value == null) {
                out.remove(key);
            } else if (value instanceof Map<?, ?> nested && out.get(key) instanceof Map<?, ?> before) {
                out.put(key, merged(Yamls.map(before), Yamls.map(nested)));
            } else {
                out.put(key, value);
            }
        });
        return out;
    }

    private static Map<String, Object> missing(String path) {
        return Map.of(
                "kind",
                "Status",
                "apiVersion",
                "v1",
                "status",
                "Failure",
                "reason",
                "NotFound",
                "code",
                404,
                "message",
                path);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
