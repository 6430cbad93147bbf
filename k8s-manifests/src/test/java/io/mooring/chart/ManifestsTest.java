package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.MooringProperties;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds of the objects whatever the values are. */
class ManifestsTest {
    static List<Path> matrix() throws IOException {
        return Matrix.files();
    }

    @Test
    void helmFindsNothingToComplainAbout() {
        assertThat(Chart.helm().lint().strict().call())
                .matches(result -> !result.isFailed())
                .satisfies(result -> assertThat(result.getMessages()).isEmpty());
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void noPodHasATokenOrAPrivilege(Path values) {
        for (Map<String, Object> pod : Chart.renderedFrom(values).pods()) {
            assertThat(pod)
                    .containsEntry("automountServiceAccountToken", false)
                    .containsEntry("enableServiceLinks", false);
            assertThat(pod).doesNotContainKeys("hostPID", "hostIPC", "initContainers", "ephemeralContainers");
            assertThat(Yamls.mapAt(pod, "securityContext"))
                    .containsEntry("runAsNonRoot", true)
                    .containsEntry("runAsUser", 65532)
                    .containsEntry("runAsGroup", 65532);
            assertThat(Yamls.get(pod, "securityContext.seccompProfile.type")).isEqualTo("RuntimeDefault");
            for (Map<String, Object> container : Yamls.listAt(pod, "containers")) {
                assertThat(Yamls.mapAt(container, "securityContext"))
                        .containsEntry("allowPrivilegeEscalation", false)
                        .containsEntry("readOnlyRootFilesystem", true)
                        .containsEntry("capabilities", Map.of("drop", List.of("ALL")));
                assertThat(Yamls.find(container, "securityContext.privileged").orElse(false))
                        .isEqualTo(false);
            }
            for (Map<String, Object> volume : volumes(pod)) {
                assertThat(volume).doesNotContainKeys("hostPath", "projected");
            }
        }
    }

    private static List<Map<String, Object>> volumes(Map<String, Object> pod) {
        return Yamls.find(pod, "volumes").map(Yamls::list).orElse(List.of());
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void nobodyMayAskTheControlPlane(Path values) {
        Rendered rendered = Chart.renderedFrom(values);

        assertThat(rendered.kinds()).doesNotContain("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding");
        assertThat(rendered.all("ServiceAccount"))
                .allMatch(account -> Boolean.FALSE.equals(account.get("automountServiceAccountToken")));
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void selectorsFindThePodsOfNodesAndNothingElse(Path values) {
        Rendered rendered = Chart.renderedFrom(values);
        Map<String, Object> labels = Yamls.mapAt(rendered.statefulSet(), "spec.template.metadata.labels");
        Map<String, Object> nodes = Yamls.mapAt(rendered.statefulSet(), "spec.selector.matchLabels");

        assertThat(labels).containsAllEntriesOf(nodes);
        assertThat(rendered.all("Service"))
                .hasSize(2)
                .allSatisfy(service ->
                        assertThat(Yamls.mapAt(service, "spec.selector")).isEqualTo(nodes));
        for (String kind : List.of("PodDisruptionBudget", "NetworkPolicy")) {
            String path = kind.equals("NetworkPolicy") ? "spec.podSelector" : "spec.selector";
            assertThat(rendered.all(kind))
                    .allSatisfy(each ->
                            assertThat(Yamls.mapAt(each, path + ".matchLabels")).isEqualTo(nodes));
        }
        for (Map<String, Object> pod : rendered.all("Pod")) {
            assertThat(Yamls.mapAt(pod, "metadata.labels")).doesNotContainEntry("app.kubernetes.io/component", "node");
        }
        for (Map<String, Object> term : antiAffinity(rendered.pod())) {
            assertThat(Yamls.mapAt(term, "labelSelector.matchLabels")).isEqualTo(nodes);
        }
        for (Map<String, Object> monitor : rendered.all("ServiceMonitor")) {
            Map<String, Object> wanted = Yamls.mapAt(monitor, "spec.selector.matchLabels");
            List<Map<String, Object>> found = rendered.all("Service").stream()
                    .filter(service ->
                            Yamls.mapAt(service, "metadata.labels").entrySet().containsAll(wanted.entrySet()))
                    .toList();
            assertThat(found).hasSize(1);
            Yamls.listAt(monitor, "spec.endpoints")
                    .forEach(endpoint -> assertThat(Yamls.named(
                                    Yamls.listAt(found.get(0), "spec.ports"), (String) endpoint.get("port")))
                            .isNotEmpty());
        }
    }

    private static List<Map<String, Object>> antiAffinity(Map<String, Object> pod) {
        String path = "affinity.podAntiAffinity.";
        return Yamls.find(pod, path + "requiredDuringSchedulingIgnoredDuringExecution")
                .map(Yamls::list)
                .orElseGet(() -> Yamls.find(pod, path + "preferredDuringSchedulingIgnoredDuringExecution")
                        .map(Yamls::list)
                        .orElse(List.of())
                        .stream()
                        .map(each -> Yamls.mapAt(each, "podAffinityTerm"))
                        .toList());
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void everyPortThatIsNamedIsOpen(Path values) {
        Rendered rendered = Chart.renderedFrom(values);
        Map<String, Object> open = new HashMap<>();
        for (Map<String, Object> port : Yamls.listAt(rendered.container(), "ports")) {
            open.put((String) Yamls.get(port, "name"), Yamls.get(port, "containerPort"));
        }
        assertThat(new HashSet<>(open.values())).hasSize(5);

        for (Map<String, Object> service : rendered.all("Service")) {
            for (Map<String, Object> port : Yamls.listAt(service, "spec.ports")) {
                assertThat(port.get("port")).as("%s", port).isEqualTo(open.get(port.get("targetPort")));
            }
        }
        for (Map<String, Object> policy : rendered.all("NetworkPolicy")) {
            Set<Object> let = new HashSet<>();
            for (Map<String, Object> rule : Yamls.listAt(policy, "spec.ingress")) {
                Yamls.listAt(rule, "ports").forEach(port -> let.add(port.get("port")));
            }
            assertThat(let).isEqualTo(open.keySet());
        }
        for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            assertThat(Yamls.get(rendered.container(), probe + ".httpGet.port")).isEqualTo("operations");
        }
    }

    /** What the environment makes of a server, against what the other objects say of it. */
    @ParameterizedTest
    @MethodSource("matrix")
    void theServerListensWhereTheObjectsSay(Path values) {
        Rendered rendered = Chart.renderedFrom(values);
        Map<String, String> variables = rendered.environment();
        Map<String, String> known = ServerProperties.byVariable();
        variables.keySet().stream()
                .filter(name -> name.startsWith("MOORING_"))
                .forEach(name -> assertThat(known).containsKey(name));

        Map<String, String> atRunTime = new TreeMap<>(variables);
        atRunTime.replace("MOORING_NODE_NAME", "mooring-0");
        atRunTime.replace("MOORING_CLUSTER_ADDRESS", "10.0.0.1");
        MooringProperties server = ServerProperties.bound(atRunTime);
        List<Map<String, Object>> ports = Yamls.listAt(rendered.container(), "ports");

        assertThat(Yamls.named(ports, "http"))
                .containsEntry("containerPort", server.http().port());
        assertThat(Yamls.named(ports, "session"))
                .containsEntry("containerPort", server.session().port());
        assertThat(Yamls.named(ports, "operations"))
                .containsEntry("containerPort", server.operations().port());
        assertThat(Yamls.named(ports, "peers"))
                .containsEntry("containerPort", server.cluster().port());
        assertThat(Yamls.named(ports, "nacos-grpc"))
                .containsEntry("containerPort", server.http().port() + 1000);
        assertThat(server.nacos().grpcPort()).isNull();
        assertThat(server.node().name()).isEqualTo("mooring-0");
        assertThat(server.cluster().address()).isEqualTo("10.0.0.1");
        assertThat(variables).containsEntry("MOORING_NODE_NAME", "[metadata.name]");
        assertThat(server.cluster().peers().isEmpty())
                .isNotEqualTo(server.cluster().dns().isEmpty());
        if (server.cluster().peers().isEmpty()) {
            Map<String, Object> headless =
                    rendered.get("Service", server.cluster().dns().replaceAll(":.*", ""));
            assertThat(Yamls.mapAt(headless, "spec"))
                    .containsEntry("clusterIP", "None")
                    .containsEntry("publishNotReadyAddresses", true);
        }
        assertThat(Yamls.get(rendered.statefulSet(), "spec.serviceName"))
                .isEqualTo(Yamls.get(
                        rendered.all("Service").stream()
                                .filter(each -> Yamls.find(each, "spec.clusterIP")
                                        .filter("None"::equals)
                                        .isPresent())
                                .findFirst()
                                .orElseThrow(),
                        "metadata.name"));
    }

    /** SIGKILL comes after what is served on, the drain, its two seconds of goodbye and the end of the ports. */
    @ParameterizedTest
    @MethodSource("matrix")
    void nobodyIsKilledWhileDraining(Path values) {
        Rendered rendered = Chart.renderedFrom(values);
        MooringProperties server = ServerProperties.bound(
                Map.of("MOORING_DRAIN_PATIENCE", rendered.environment().getOrDefault("MOORING_DRAIN_PATIENCE", "")));
        int before = (int) Yamls.get(rendered.container(), "lifecycle.preStop.sleep.seconds");
        int most = (int) Yamls.get(rendered.pod(), "terminationGracePeriodSeconds");

        assertThat(most)
                .isGreaterThanOrEqualTo(before + (int) server.drain().patience().toSeconds() + 15);
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void everyFileThatTheServerIsToldOfIsMounted(Path values) {
        Rendered rendered = Chart.renderedFrom(values);
        List<Map<String, Object>> mounts = Yamls.listAt(rendered.container(), "volumeMounts");
        Set<Object> volumes = new HashSet<>();
        volumes(rendered.pod()).forEach(volume -> volumes.add(volume.get("name")));
        Yamls.find(rendered.statefulSet(), "spec.volumeClaimTemplates")
                .map(Yamls::list)
                .orElse(List.of())
                .forEach(claim -> volumes.add(Yamls.get(claim, "metadata.name")));

        assertThat(mounts).allSatisfy(mount -> assertThat(volumes).contains(mount.get("name")));
        assertThat(mounts).hasSameSizeAs(volumes);
        rendered.environment().forEach((name, path) -> {
            if (path.startsWith("/")) {
                assertThat(mounts).as(name).anyMatch(mount -> (path + "/").startsWith(mount.get("mountPath") + "/"));
            }
        });
        assertThat(mounts)
                .filteredOn(mount -> !Boolean.TRUE.equals(mount.get("readOnly")))
                .extracting(mount -> mount.get("mountPath"))
                .containsExactlyInAnyOrder("/var/lib/mooring", "/tmp");
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void whatCannotBeChangedDoesNotNameAVersion(Path values) {
        Map<String, Object> set = Chart.renderedFrom(values).statefulSet();

        assertThat(Yamls.get(set, "spec.selector").toString()).doesNotContain("version", "chart");
        assertThat(Yamls.find(set, "spec.volumeClaimTemplates")
                        .map(Object::toString)
                        .orElse(""))
                .doesNotContain("version", "chart");
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void everyObjectSaysWhatItBelongsTo(Path values) {
        for (Map<String, Object> object : Chart.renderedFrom(values).objects()) {
            assertThat(Yamls.mapAt(object, "metadata.labels"))
                    .containsKeys(
                            "app.kubernetes.io/name",
                            "app.kubernetes.io/instance",
                            "app.kubernetes.io/version",
                            "app.kubernetes.io/part-of",
                            "app.kubernetes.io/managed-by",
                            "helm.sh/chart");
        }
    }
}
