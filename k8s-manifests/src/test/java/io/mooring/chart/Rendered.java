package io.mooring.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The objects that came out. */
record Rendered(List<Map<String, Object>> objects) {
    Rendered {
        objects = List.copyOf(objects);
    }

    static Rendered of(String text) {
        List<Map<String, Object>> objects = new ArrayList<>();
        for (Object object : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text)) {
            if (object != null) {
                objects.add(Yamls.map(object));
            }
        }
        return new Rendered(objects);
    }

    List<Map<String, Object>> all(String kind) {
        return objects.stream().filter(each -> kind.equals(each.get("kind"))).toList();
    }

    Map<String, Object> get(String kind, String name) {
        return all(kind).stream()
                .filter(each -> name.equals(Yamls.get(each, "metadata.name")))
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException(kind + " " + name + " is missing"));
    }

    List<String> kinds() {
        return objects.stream().map(each -> (String) each.get("kind")).sorted().toList();
    }

    Map<String, Object> statefulSet() {
        return all("StatefulSet").get(0);
    }

    /** The specification of the pods of nodes. */
    Map<String, Object> pod() {
        return Yamls.mapAt(statefulSet(), "spec.template.spec");
    }

    Map<String, Object> container() {
        return Yamls.named(Yamls.listAt(pod(), "containers"), "registry-server");
    }

    /** Names and values; of what is known at run time only, its path in brackets. */
    Map<String, String> environment() {
        Map<String, String> out = new TreeMap<>();
        for (Map<String, Object> each : Yamls.listAt(container(), "env")) {
            Object value = Yamls.find(each, "value")
                    .orElseGet(() -> "[" + Yamls.get(each, "valueFrom.fieldRef.fieldPath") + "]");
            String before = out.put((String) Yamls.get(each, "name"), (String) value);
            if (before != null) {
                throw new IllegalStateException("the variable " + Yamls.get(each, "name") + " is set twice");
            }
        }
        return out;
    }

    /** The specifications of all pods, those of tests among them. */
    List<Map<String, Object>> pods() {
        List<Map<String, Object>> out = new ArrayList<>();
        out.add(pod());
        all("Pod").forEach(each -> out.add(Yamls.mapAt(each, "spec")));
        return out;
    }
}
