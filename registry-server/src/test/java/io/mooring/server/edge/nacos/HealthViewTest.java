package io.mooring.server.edge.nacos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom Nacos clients may take for healthy. */
class HealthViewTest {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");

    /** @param standings one letter each: Live, Restored, Suspect, Held; small ones are out of rotation */
    private static ServiceView view(String standings) {
        List<ListedInstance> listed = new ArrayList<>();
        for (int i = 0; i < standings.length(); i++) {
            char c = standings.charAt(i);
            Standing standing = switch (Character.toUpperCase(c)) {
                case 'L' -> Standing.LIVE;
                case 'R' -> Standing.RESTORED;
                case 'S' -> Standing.SUSPECT;
                default -> Standing.HELD;
            };
            Instance instance = Instance.of(ORDERS, "10.0.0.1", i + 1).withEnabled(Character.isUpperCase(c));
            listed.add(new ListedInstance(instance, standing));
        }
        return new ServiceView(ORDERS, 1, 1, listed, false, List.of());
    }

    private static String told(HealthView view) {
        StringBuilder told = new StringBuilder();
        view.hosts().forEach(host -> told.append(host.healthy() ? '+' : '-'));
        return told + (view.underProtection() ? "!" : "");
    }

    @ParameterizedTest
    @CsvSource({
        "'', ''",
        "L, +",
        "LR, ++", // a restart is none of the clients' business
        "LS, +-",
        "LSS, +++!", // more than half, and two
        "LLSS, ++--", // half is not more than half
        "S, +!", // nobody is left
        "SS, ++!",
        "LLH, +++!",
        "LLLH, ++++!", // somebody is held already
        "LLSl, ++-",
        "LLs, ++",
        "s, ''",
        "Lss, +", // who is out of rotation does not count
    })
    void tooManyInDoubtAreNotBelieved(String standings, String told) {
        assertEquals(told, told(HealthView.of(view(standings), HealthView.Doubt.DEFAULTS, 0, id -> false)), standings);
    }

    @ParameterizedTest
    @CsvSource({
        "LLS, 0.6, ++-",
        "LLS, 0.7, +++!",
        "LLLL, 0.99, ++++",
        "LLLL, 1, ++++!",
        "LS, 0.5, ++!",
    })
    void aServiceMayAskForMoreProtection(String standings, double threshold, String told) {
        assertEquals(
                told,
                told(HealthView.of(view(standings), HealthView.Doubt.DEFAULTS, threshold, id -> false)),
                standings);
    }

    @Test
    void protectionIsDecidedBeforeAnyFilter() {
        HealthView protectedView = HealthView.of(view("LSS"), HealthView.Doubt.DEFAULTS, 0, id -> false);
        HealthView half = HealthView.of(view("LLSS"), HealthView.Doubt.DEFAULTS, 0, id -> false);

        assertEquals("+++!", told(protectedView.only(Set.of(), true)), "who asks for the healthy needs it most");
        assertEquals("++", told(half.only(Set.of(), true)));
        assertEquals("", told(half.only(Set.of("elsewhere"), false)));
        assertEquals("++--", told(half.only(Set.of("elsewhere", "DEFAULT"), false)));
        assertTrue(protectedView.only(Set.of("elsewhere"), false).underProtection());
    }
}
