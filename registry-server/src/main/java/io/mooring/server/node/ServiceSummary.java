package io.mooring.server.node;

import io.mooring.model.ServiceKey;

/**
 * A line in the list of services.
 *
 * @param service which
 * @param instances listed instances
 * @param live those that are not in doubt
 * @param underProtection whether sudden removals are held
 * @param revision of its view
 */
public record ServiceSummary(ServiceKey service, int instances, int live, boolean underProtection, long revision) {}
