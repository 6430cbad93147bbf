package io.mooring.server.edge.nacos;

import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.ServiceView;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether a list lacks somebody without saying why. Nacos clients replace what they have by what they are told, so from a node
 * that is still gathering they are told nothing that takes somebody away by mistake.
 */
public final class Missing {
    private Missing() {}

    /** @param before what the client was told last, in the order of ids */
    public static boolean withoutCause(List<ListedInstance> before, ServiceView view) {
        List<ListedInstance> after = view.instances();
        Set<InstanceId> explained = null;
        int a = 0;
        for (ListedInstance listed : before) { // both are in the order of ids
            while (a < after.size() && after.get(a).id().compareTo(listed.id()) < 0) {
                a++;
            }
            if (a == after.size() || !after.get(a).id().equals(listed.id())) {
                if (explained == null) {
                    explained = new HashSet<>();
                    for (Removal removal : view.removals()) {
                        explained.add(removal.instance());
                    }
                }
                if (!explained.contains(listed.id())) {
                    return true;
                }
            }
        }
        return false;
    }
}
