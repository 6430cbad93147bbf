package io.mooring.server.edge.http;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.SharedServer;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** The document and the routes say the same: drift fails the build. */
class OpenApiTest {
    private final Map<String, Object> document = load();
    private final List<Route> routes = SharedServer.get().bean(HttpEdge.class).routes();

    private static Map<String, Object> load() {
        try (InputStream in = OpenApiTest.class.getResourceAsStream("/openapi.yaml")) {
            return new Yaml().load(in);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(@Nullable Object value) {
        return (Map<String, Object>) requireNonNull(value);
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(@Nullable Object value) {
        return value == null ? List.of() : (List<Object>) value;
    }

    private Map<String, Object> resolved(@Nullable Object value) {
        Map<String, Object> object = object(value);
        if (object.get("$ref") instanceof String reference) {
            @Nullable Object at = document;
            for (String step : reference.substring(2).split("/")) {
                at = object(at).get(step);
            }
            return object(at);
        }
        return object;
    }

    @Test
    void everyRouteIsDescribedAndEveryDescriptionIsARoute() {
        Set<String> described = new TreeSet<>();
        object(document.get("paths"))
                .forEach((path, item) -> object(item).forEach((method, operation) -> {
                    if (!method.equals("parameters")) {
                        described.add(signature(path, method, object(item), object(operation)));
                    }
                }));
        Set<String> served = new TreeSet<>();
        for (Route route : routes) {
            Set<Integer> statuses = new TreeSet<>(route.statuses());
            served.add(route.method() + " " + route.path() + " " + new TreeSet<>(route.parameters()) + " " + statuses
                    + " " + route.produces());
        }
        assertThat(described).isEqualTo(served);
    }

    private String signature(String path, String method, Map<String, Object> item, Map<String, Object> operation) {
        Set<String> query = new TreeSet<>();
        Set<String> inPath = new TreeSet<>();
        List<Object> parameters = new ArrayList<>(list(item.get("parameters")));
        parameters.addAll(list(operation.get("parameters")));
        for (Object parameter : parameters) {
            Map<String, Object> resolved = resolved(parameter);
            boolean ofQuery = "query".equals(resolved.get("in"));
            (ofQuery ? query : inPath).add(String.valueOf(resolved.get("name")));
        }
        inPath.forEach(name -> assertThat(path).contains("{" + name + "}"));
        assertThat(inPath).hasSize((int) path.chars().filter(c -> c == '{').count());
        Set<Integer> statuses = new TreeSet<>();
        Set<String> produces = new TreeSet<>();
        object(operation.get("responses")).forEach((status, response) -> {
            if (!status.equals("default")) {
                statuses.add(Integer.valueOf(status));
                Object content = resolved(response).get("content");
                if (status.equals("200") && content != null) {
                    produces.addAll(object(content).keySet());
                }
            }
        });
        String type = produces.isEmpty() ? Reply.JSON : String.join(",", produces);
        return method.toUpperCase(Locale.ROOT) + " " + path + " " + query + " " + statuses + " " + type;
    }

    @Test
    void everyCodeIsDescribed() {
        Map<String, Object> schemas = object(object(document.get("components")).get("schemas"));
        Map<String, Object> code =
                object(object(object(schemas.get("Problem")).get("properties")).get("code"));

        assertThat(list(code.get("enum"))).containsExactlyInAnyOrderElementsOf(new ArrayList<>(Problem.CODES));
    }

    @Test
    void theDocumentIsServed() throws Exception {
        HttpCalls.Answer answer = HttpCalls.get("/v1/openapi.yaml");

        assertThat(answer.status()).isEqualTo(200);
        Map<String, Object> served = new Yaml().load(answer.response().body());
        assertThat(served).isEqualTo(document);
    }
}
