package io.mooring.server.edge.http;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which instances of a view a reader asked for. A pure function.
 *
 * @param clusters empty: all
 * @param labels metadata entries that an instance must have, all of them
 * @param healthyOnly leave out those in doubt, unless that would look like a sudden emptiness
 */
record Selection(Set<String> clusters, Map<String, String> labels, boolean healthyOnly) {
    /**
     * @param instances in the view's order
     * @param spared whether instances in doubt are among them although only healthy ones were asked for
     */
    record Selected(List<ListedInstance> instances, boolean spared) {}

    static Selection of(Query query) {
        Set<String> clusters = Set.copyOf(query.list("cluster"));
        Map<String, String> labels = new TreeMap<>();
        for (String label : query.all("metadata")) {
            int colon = label.indexOf(':');
            if (colon < 1) {
                throw new InvalidValueException("metadata", label, "key:value");
            }
            String before = labels.put(label.substring(0, colon), label.substring(colon + 1));
            if (before != null) {
                throw new InvalidValueException("metadata", label, "each key once");
            }
        }
        return new Selection(clusters, labels, query.flag("healthyOnly"));
    }

    /** Whether nothing is left out. */
    boolean everything() {
        return clusters.isEmpty() && labels.isEmpty() && !healthyOnly;
    }

    Selected of(ServiceView view) {
        List<ListedInstance> asked = new ArrayList<>();
        int enabled = 0;
        List<ListedInstance> healthy = new ArrayList<>();
        int enabledAndHealthy = 0;
        for (ListedInstance listed : view.instances()) {
            if (!fits(listed)) {
                continue;
            }
            asked.add(listed);
            int one = listed.instance().enabled() ? 1 : 0;
            enabled += one;
            if (!listed.standing().inDoubt()) {
                healthy.add(listed);
                enabledAndHealthy += one;
            }
        }
        if (!healthyOnly || healthy.size() == asked.size()) {
            return new Selected(asked, false);
        }
        // So many in doubt at once is more likely our trouble than theirs: rather a few failed calls than no callee.
        boolean tooFew = healthy.isEmpty() || 2 * enabledAndHealthy < enabled;
        return tooFew ? new Selected(asked, true) : new Selected(healthy, false);
    }

    private boolean fits(ListedInstance listed) {
        if (!clusters.isEmpty() && !clusters.contains(listed.instance().cluster())) {
            return false;
        }
        Map<String, String> metadata = listed.instance().metadata();
        for (Map.Entry<String, String> label : labels.entrySet()) {
            if (!label.getValue().equals(metadata.get(label.getKey()))) {
                return false;
            }
        }
        return true;
    }
}
