package io.mooring.client;

import io.mooring.model.Instance;
import java.util.function.Predicate;

/** Balances among a part of the candidates. */
final class Narrowed {
    private static final Balancer.Picker NOBODY = (key, attempt) -> -1;

    private Narrowed() {}

    static Balancer preferring(Predicate<? super Instance> preferred, Balancer within) {
        return all -> {
            Candidates part = all.where(preferred);
            return part.size() == 0 ? within.prepare(all) : among(part, within);
        };
    }

    static Balancer only(Predicate<? super Instance> accepted, Balancer within) {
        return all -> {
            Candidates part = all.where(accepted);
            return part.size() == 0 ? NOBODY : among(part, within);
        };
    }

    private static Balancer.Picker among(Candidates part, Balancer within) {
        Balancer.Picker picker = within.prepare(part);
        return (key, attempt) -> {
            int index = picker.pick(key, attempt);
            return index < 0 ? index : part.origin(index);
        };
    }
}
