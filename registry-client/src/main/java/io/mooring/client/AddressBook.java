package io.mooring.client;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Where registry nodes may be: as configured, as the registry tells, and as it told before, on disk too. Confined to the
 * loop.
 *
 * <p>What nothing speaks against is tried first and at random, so that a thousand clients with the same list spread over its
 * nodes; then what the registry named once and names no more; what failed lately comes last, the longest ago first.
 */
final class AddressBook {
    static final int MOST = 64;
    /** Of nodes that were there once: enough for a cluster that has moved while this process was away. */
    static final int MOST_FORMER = 16;

    private static final int MOST_KEPT_BYTES = 64 * 1024;
    /** It had us, and lost us: when nobody could be reached there any more, the next try will tell. */
    private static final Duration LOSS_FORGIVEN_AFTER = Duration.ofSeconds(5);

    private static final Duration FORGIVEN_AFTER = Duration.ofMinutes(1);
    /** It may be one that cannot be reached from here at all, whatever the registry calls it. */
    private static final Duration STRANGER_FORGIVEN_AFTER = Duration.ofMinutes(10);
    /** While everything fails, one try in so many goes to one of the former. */
    private static final int FORMER_EVERY = 4;

    private static final class Place {
        final String address;
        final boolean configured;
        boolean told;
        boolean worked;
        boolean failed; // to keep a connection, at least
        boolean dead; // so far as the last try told
        long failedAt;

        Place(String address, boolean configured) {
            this.address = address;
            this.configured = configured;
        }

        boolean failedLately(long now) {
            Duration forgiven = !dead ? LOSS_FORGIVEN_AFTER : worked ? FORGIVEN_AFTER : STRANGER_FORGIVEN_AFTER;
            return failed && now - failedAt < forgiven.toNanos();
        }

        boolean isBetterThan(Place other, long now) {
            return dead != other.dead ? other.dead : now - failedAt > now - other.failedAt;
        }
    }

    private final RandomGenerator random;
    private final Map<String, Place> places = new LinkedHashMap<>(); // the configured ones, then the latest named last
    private String here = "";
    private int desperate; // tries in a row with nothing but failures to choose from
    private boolean changed; // since what to keep was last asked for

    AddressBook(List<String> configured, RandomGenerator random) {
        this.random = random;
        configured.forEach(address -> places.put(address, new Place(address, true)));
    }

    // ---- where to go

    /** Where to try next, connected nowhere. */
    String next(long now) {
        Optional<Place> fresh = fresh(now, place -> true);
        if (fresh.isPresent()) {
            return fresh.get().address;
        }
        boolean former = ++desperate % FORMER_EVERY == 0;
        return longestAgo(now, place -> former != isWanted(place))
                .or(() -> longestAgo(now, place -> true))
                .orElseThrow()
                .address;
    }

    /**
     * Where to go from {@code from}; empty when that is all there is.
     *
     * @param preferred the first of them that has not failed lately, if there is one
     */
    Optional<String> elsewhere(String from, List<String> preferred, long now) {
        for (String text : preferred) {
            Optional<Place> place = named(text);
            if (place.isPresent()
                    && !place.get().address.equals(from)
                    && !place.get().failedLately(now)) {
                return place.map(found -> found.address);
            }
        }
        Predicate<Place> other = place -> !place.address.equals(from);
        return fresh(now, other).or(() -> longestAgo(now, other)).map(place -> place.address);
    }

    /** Whether there is a place other than those that has not failed lately. */
    boolean hasFresh(long now, String... besides) {
        List<String> others = List.of(besides);
        return places.values().stream().anyMatch(place -> !others.contains(place.address) && !place.failedLately(now));
    }

    /** Whether there is a place other than that one. */
    boolean hasOthers(String besides) {
        return places.size() > (places.containsKey(besides) ? 1 : 0);
    }

    private Optional<Place> fresh(long now, Predicate<Place> which) {
        List<Place> fresh = new ArrayList<>();
        for (Place place : places.values()) {
            if (which.test(place) && !place.failedLately(now)) {
                fresh.add(place);
            }
        }
        List<Place> best = fresh.stream().filter(this::isWanted).toList();
        if (best.isEmpty()) {
            best = fresh;
        } else if (toldByTheSameNames()) {
            List<Place> alive = best.stream().filter(place -> place.told).toList();
            best = alive.isEmpty() ? best : alive;
        }
        return best.isEmpty() ? Optional.empty() : Optional.of(best.get(random.nextInt(best.size())));
    }

    private Optional<Place> longestAgo(long now, Predicate<Place> which) {
        Place found = null;
        for (Place place : places.values()) {
            if (which.test(place) && (found == null || place.isBetterThan(found, now))) {
                found = place;
            }
        }
        return Optional.ofNullable(found);
    }

    private boolean isWanted(Place place) {
        return place.configured || place.told || place.address.equals(here);
    }

    /** Then a configured one that the registry does not name is down. */
    private boolean toldByTheSameNames() {
        boolean any = false;
        for (Place place : places.values()) {
            if (place.told && !place.configured) {
                return false;
            }
            any |= place.told;
        }
        return any;
    }

    // ---- how it went

    /** The node there has welcomed us. */
    void worked(String address) {
        here = address;
        desperate = 0;
        Place place = places.get(address);
        if (place != null) {
            place.worked = true;
            place.failed = false;
            place.dead = false;
        }
    }

    /** No connection to that one came about. */
    void failed(String address, long now) {
        failed(address, true, now);
    }

    /** The connection to that one has ended. */
    void lost(String address, long now) {
        failed(address, false, now);
    }

    private void failed(String address, boolean dead, long now) {
        Place place = places.get(address);
        if (place != null) {
            place.failed = true;
            place.dead = dead;
            place.failedAt = now;
        }
    }

    /** Where we were welcomed last; empty before. */
    String here() {
        return here;
    }

    // ---- what others know

    /** Other nodes, as the registry names them; they replace those it named before. */
    void learn(List<String> peers) {
        List<String> before = told();
        places.values().forEach(place -> place.told = false);
        for (String peer : peers) {
            named(peer);
        }
        forgetFormer();
        changed |= !told().equals(before);
    }

    private List<String> told() {
        return places.values().stream()
                .filter(place -> place.told)
                .map(place -> place.address)
                .toList();
    }

    /** The place the registry calls so, if it is one and there is room for it. */
    private Optional<Place> named(String text) {
        Optional<String> address = ServerAddress.parse(text).map(ServerAddress::toString);
        if (address.isEmpty()) {
            return Optional.empty();
        }
        Place known = places.get(address.get());
        if (known == null) {
            long wanted = places.values().stream().filter(this::isWanted).count();
            if (wanted > MOST) {
                return Optional.empty();
            }
            known = new Place(address.get(), false);
            changed = true;
        }
        if (!known.configured) {
            places.remove(known.address); // so that the latest named are the last
            places.put(known.address, known);
        }
        known.told = true;
        return Optional.of(known);
    }

    private void forgetFormer() {
        long former = places.values().stream().filter(place -> !isWanted(place)).count();
        Iterator<Place> all = places.values().iterator();
        while (former > MOST_FORMER && all.hasNext()) {
            if (!isWanted(all.next())) {
                all.remove();
                former--;
            }
        }
    }

    // ---- on disk

    /** What the registry named while an earlier process was connected. */
    void remembered(byte[] kept) {
        if (kept.length > MOST_KEPT_BYTES) {
            return;
        }
        for (String line : new String(kept, StandardCharsets.UTF_8).split("\n")) {
            ServerAddress.parse(line.strip())
                    .map(ServerAddress::toString)
                    .ifPresent(address -> places.putIfAbsent(address, new Place(address, false)));
        }
        forgetFormer();
    }

    /** What to keep for later processes: the latest last. Empty while that is what was asked for before. */
    Optional<byte[]> toKeep() {
        if (!changed) {
            return Optional.empty();
        }
        changed = false;
        StringBuilder lines = new StringBuilder();
        for (Place place : places.values()) {
            if (!place.configured) {
                lines.append(place.address).append('\n');
            }
        }
        return Optional.of(lines.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** What was to be kept could not be. */
    void notKept() {
        changed = true;
    }
}
