package io.mooring.simulation.real;

import io.mooring.simulation.real.ClusterNode.Ports;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * How the chart runs a node: environment, volumes, ports, memory and time to leave, read from the plain manifests, which
 * every build compares with the chart, and from the image's own environment. Both were put into the jar when it was built.
 * What they ask for and a drill cannot do as a kubelet would is refused rather than passed over.
 */
final class PodTemplate {
    /** Where what is mounted comes from. */
    enum Volume {
        /** Stays with the pod's name. */
        CLAIM,
        /** Empty in every pod. */
        SCRATCH,
        /** Files, the same for all. */
        SECRET
    }

    /**
     * @param path in the container
     * @param files of a secret; otherwise none
     */
    record Mount(String name, Volume volume, String path, List<String> files) {
        Mount {
            files = List.copyOf(files);
        }
    }

    private static final String CONTAINER = "registry-server";
    private static final Set<String> FOREIGN = Set.of("command", "envFrom", "volumeDevices", "workingDir");
    private static final long MEBIBYTE = 1 << 20;

    private final String name;
    private final int nodes;
    private final Ports ports;
    private final List<Mount> mounts;
    private final Map<String, String> image;
    private final List<Map<String, Object>> variables;
    private final List<String> arguments;
    private final long memory;
    private final Duration grace;

    private PodTemplate(List<Map<String, Object>> objects, Map<String, String> image) {
        this.image = Map.copyOf(image);
        Map<String, Object> set = only(objects, "StatefulSet");
        name = text(set, "metadata.name");
        nodes = number(set, "spec.replicas");
        Map<String, Object> pod = map(get(set, "spec.template.spec"), "spec.template.spec");
        refuse(pod, Set.of("initContainers", "hostNetwork", "hostAliases", "dnsConfig"));
        List<Map<String, Object>> containers = list(pod, "containers");
        Map<String, Object> container = containers.get(0);
        expect(
                "containers",
                List.of(CONTAINER),
                containers.stream().map(each -> each.get("name")).toList());
        refuse(container, FOREIGN);
        ports = ports(container);
        variables = list(container, "env");
        arguments = container.get("args") instanceof List<?> given
                ? given.stream().map(String::valueOf).toList()
                : List.of();
        mounts = mounts(set, pod, container);
        memory = mebibytes(text(container, "resources.limits.memory"));
        int before = container.containsKey("lifecycle") ? number(container, "lifecycle.preStop.sleep.seconds") : 0;
        grace = Duration.ofSeconds(number(pod, "terminationGracePeriodSeconds") - (long) before);
        expect("readinessProbe path", ClusterNode.READINESS, get(container, "readinessProbe.httpGet.path"));
        expect("readinessProbe port", "operations", get(container, "readinessProbe.httpGet.port"));
        names(set, objects);
    }

    /** As it was when this jar was built. */
    static PodTemplate read() throws IOException {
        return of(resource("mooring.yaml"), resource("image/pom.xml"));
    }

    static String resource(String name) throws IOException {
        try (InputStream in = PodTemplate.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException(name + " is not in the jar; build it anew");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /**
     * @param manifests YAML
     * @param image the file that Maven makes the image by
     * @throws IllegalArgumentException when they ask for what a drill does not do
     */
    static PodTemplate of(String manifests, String image) {
        List<Map<String, Object>> objects = new ArrayList<>();
        for (Object object : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(manifests)) {
            objects.add(map(object, "an object"));
        }
        return new PodTemplate(objects, environmentOf(image));
    }

    private static Map<String, String> environmentOf(String image) {
        try {
            NodeList found = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new ByteArrayInputStream(image.getBytes(StandardCharsets.UTF_8)))
                    .getElementsByTagName("environment");
            expect("environments of the image", 1, found.getLength());
            Map<String, String> out = new LinkedHashMap<>();
            NodeList each = found.item(0).getChildNodes();
            for (int i = 0; i < each.getLength(); i++) {
                if (each.item(i) instanceof Element variable) {
                    out.put(variable.getTagName(), variable.getTextContent().trim());
                }
            }
            return out;
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new IllegalArgumentException("the file that makes the image cannot be read", e);
        }
    }

    private static Ports ports(Map<String, Object> container) {
        Map<String, Object> byName = new LinkedHashMap<>();
        list(container, "ports").forEach(port -> byName.put(text(port, "name"), number(port, "containerPort")));
        expect("names of ports", Set.of("http", "session", "nacos-grpc", "peers", "operations"), byName.keySet());
        return new Ports(
                number(byName, "http"),
                number(byName, "session"),
                number(byName, "operations"),
                number(byName, "peers"));
    }

    private static List<Mount> mounts(Map<String, Object> set, Map<String, Object> pod, Map<String, Object> container) {
        Map<String, Mount> volumes = new LinkedHashMap<>();
        if (find(set, "spec.volumeClaimTemplates") != null) {
            for (Map<String, Object> claim : list(set, "spec.volumeClaimTemplates")) {
                String volume = text(claim, "metadata.name");
                volumes.put(volume, new Mount(volume, Volume.CLAIM, "", List.of()));
            }
        }
        for (Map<String, Object> each : list(pod, "volumes")) {
            String volume = text(each, "name");
            if (each.containsKey("emptyDir")) {
                volumes.put(volume, new Mount(volume, Volume.SCRATCH, "", List.of()));
            } else {
                List<String> files = list(each, "secret.items").stream()
                        .map(item -> text(item, "path"))
                        .toList();
                volumes.put(volume, new Mount(volume, Volume.SECRET, "", files));
            }
        }
        List<Mount> out = new ArrayList<>();
        for (Map<String, Object> each : list(container, "volumeMounts")) {
            Mount volume = volumes.get(text(each, "name"));
            if (volume == null) {
                throw new IllegalArgumentException("volumeMounts: " + each + " has no volume");
            }
            out.add(new Mount(volume.name(), volume.volume(), text(each, "mountPath"), volume.files()));
        }
        return out;
    }

    /** Those that the drill's resolver answers for: peers are to be found before they are ready. */
    private static void names(Map<String, Object> set, List<Map<String, Object>> objects) {
        expect("serviceName", Resolver.NAMES.get(0), get(set, "spec.serviceName"));
        Set<String> names = new TreeSet<>();
        for (Map<String, Object> object : objects) {
            if ("Service".equals(object.get("kind"))) {
                names.add(text(object, "metadata.name"));
                if (text(object, "metadata.name").equals(get(set, "spec.serviceName"))) {
                    expect("publishNotReadyAddresses", true, get(object, "spec.publishNotReadyAddresses"));
                }
            }
        }
        expect("Services", new TreeSet<>(Resolver.NAMES), names);
    }

    // ---- what it says

    /** How many pods there are. */
    int nodes() {
        return nodes;
    }

    /** The name of that pod, counted from 0. */
    String name(int pod) {
        return name + "-" + pod;
    }

    Ports ports() {
        return ports;
    }

    List<Mount> mounts() {
        return mounts;
    }

    /** The limit of memory in MiB. */
    long memory() {
        return memory;
    }

    /** From SIGTERM to SIGKILL. */
    Duration grace() {
        return grace;
    }

    /** Behind the program. */
    List<String> arguments() {
        return arguments;
    }

    /**
     * The variables of a pod: the image's, and over them the chart's.
     *
     * @param fields what a kubelet would fill in, by path
     * @param directories where what is mounted really is, by its path in the container
     * @throws IllegalArgumentException when another field is asked for
     */
    Map<String, String> environment(Map<String, String> fields, Map<String, Path> directories) {
        Map<String, String> out = new LinkedHashMap<>(image);
        for (Map<String, Object> variable : variables) {
            String value;
            if (variable.containsKey("valueFrom")) {
                String path = text(variable, "valueFrom.fieldRef.fieldPath");
                value = fields.get(path);
                if (value == null) {
                    throw new IllegalArgumentException(
                            text(variable, "name") + ": " + path + " (expected: one of " + fields.keySet() + ")");
                }
            } else {
                value = text(variable, "value");
            }
            out.put(text(variable, "name"), value);
        }
        out.replaceAll((name, value) -> elsewhere(value, directories));
        return out;
    }

    private static String elsewhere(String value, Map<String, Path> directories) {
        for (Map.Entry<String, Path> each : directories.entrySet()) {
            if (value.equals(each.getKey()) || value.startsWith(each.getKey() + "/")) {
                return each.getValue() + value.substring(each.getKey().length());
            }
        }
        return value;
    }

    // ---- the way through manifests

    private static void expect(String what, Object expected, @Nullable Object value) {
        if (!expected.equals(value)) {
            throw new IllegalArgumentException(
                    what + ": " + value + " (expected: " + expected + "); teach the drill what the chart does now");
        }
    }

    private static void refuse(Map<String, Object> at, Set<String> keys) {
        for (String key : keys) {
            expect(key, "nothing", at.containsKey(key) ? at.get(key) : "nothing");
        }
    }

    private static Map<String, Object> only(List<Map<String, Object>> objects, String kind) {
        List<Map<String, Object>> all =
                objects.stream().filter(each -> kind.equals(each.get("kind"))).toList();
        expect("objects of the kind " + kind, 1, all.size());
        return all.get(0);
    }

    private static Map<String, Object> map(@Nullable Object value, String what) {
        if (!(value instanceof Map<?, ?> given)) {
            throw new IllegalArgumentException(what + ": " + value + " (expected: a map)");
        }
        Map<String, Object> out = new LinkedHashMap<>();
        given.forEach((key, each) -> out.put(String.valueOf(key), each));
        return out;
    }

    private static List<Map<String, Object>> list(Map<String, Object> from, String path) {
        if (!(get(from, path) instanceof List<?> given)) {
            throw new IllegalArgumentException(path + ": " + get(from, path) + " (expected: a list)");
        }
        return given.stream().map(each -> map(each, path)).toList();
    }

    private static @Nullable Object find(Map<String, Object> from, String path) {
        Object at = from;
        for (String key : path.split("\\.")) {
            at = at instanceof Map<?, ?> here ? here.get(key) : null;
        }
        return at;
    }

    private static Object get(Map<String, Object> from, String path) {
        Object found = find(from, path);
        if (found == null) {
            throw new IllegalArgumentException(path + " is missing in " + from);
        }
        return found;
    }

    private static String text(Map<String, Object> from, String path) {
        return String.valueOf(get(from, path));
    }

    private static int number(Map<String, Object> from, String path) {
        return Integer.parseInt(text(from, path));
    }

    private static long mebibytes(String quantity) {
        for (int unit = 0; unit < 2; unit++) {
            String suffix = unit == 0 ? "Mi" : "Gi";
            if (quantity.endsWith(suffix)) {
                return Long.parseLong(quantity.substring(0, quantity.length() - 2)) << 10 * unit;
            }
        }
        return Long.parseLong(quantity) / MEBIBYTE;
    }
}
