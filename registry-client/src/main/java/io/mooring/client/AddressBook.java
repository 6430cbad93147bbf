package io.mooring.client;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Where registry nodes may be: as configured, then as the registry told. Confined to the loop. */
final class AddressBook {
    static final int MOST = 64;

    private final List<String> configured;
    private List<String> addresses;
    private int current;

    AddressBook(List<String> configured) {
        this.configured = List.copyOf(configured);
        this.addresses = this.configured;
    }

    String current() {
        return addresses.get(current);
    }

    void next() {
        current = (current + 1) % addresses.size();
    }

    /** Other nodes, as the registry names them; they replace those it named before. */
    void learn(List<String> peers) {
        String here = current();
        Set<String> known = new LinkedHashSet<>(configured);
        if (current >= configured.size()) {
            known.add(here); // connected to one we were told of: keep it though nobody repeats it
        }
        for (String peer : peers) {
            if (known.size() < Math.max(MOST, configured.size() + 1)) {
                ServerAddress.parse(peer).ifPresent(address -> known.add(address.toString()));
            }
        }
        addresses = new ArrayList<>(known);
        current = Math.max(0, addresses.indexOf(here));
    }

    /** The next to try is one of these, as the node that goes away asked for. */
    void prefer(List<String> peers) {
        next();
        for (String peer : peers) {
            int at = ServerAddress.parse(peer)
                    .map(address -> addresses.indexOf(address.toString()))
                    .orElse(-1);
            if (at >= 0) {
                current = at;
                return;
            }
        }
    }

    int size() {
        return addresses.size();
    }
}
