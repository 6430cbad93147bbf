package io.mooring.server.node;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;

/**
 * A line in the list of services.
 *
 * @param service which
 * @param instances listed instances
 * @param live those that are not in doubt
 * @param underProtection whether sudden removals are held
 * @param revision of its view
 */
public record ServiceSummary(ServiceKey service, int instances, int live, boolean underProtection, long revision) {
    static ServiceSummary of(ServiceView view) {
        int live = 0;
        for (int i = 0; i < view.instances().size(); i++) {
            if (!view.instances().get(i).standing().inDoubt()) {
                live++;
            }
        }
        return new ServiceSummary(
                view.service(), view.instances().size(), live, view.underProtection(), view.revision());
    }
}
