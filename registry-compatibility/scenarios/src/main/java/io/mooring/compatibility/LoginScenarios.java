package io.mooring.compatibility;

import static io.mooring.compatibility.Naming.GROUP;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** At a registry that has users. */
final class LoginScenarios {
    /** Who has the password below, for whom nobody ever tries another. */
    static final String USER = "alice";

    /** For whom wrong passwords are tried: after ten nobody is listened to under that name. */
    private static final String VICTIM = "bob";

    static final String PASSWORD = "correct horse";
    static final List<String> USERS = List.of(USER, VICTIM);

    static final List<Scenario> ALL = List.of(
            new Scenario("login", Set.of(Ability.LOGIN, Ability.SUBSCRIBE), LoginScenarios::login),
            new Scenario(
                    "login with a wrong password", Set.of(Ability.LOGIN, Ability.LIST_REFUSED), LoginScenarios::wrong),
            new Scenario(
                    "no login where one is asked for",
                    Set.of(Ability.LOGIN, Ability.LIST_REFUSED),
                    LoginScenarios::none));

    private LoginScenarios() {}

    private static void login(Stage stage) throws Exception {
        String service = stage.service();
        Instance instance = stage.place();
        Map<String, String> right = stage.guarded(USER, PASSWORD);
        Naming publisher = stage.open("publisher", "", right);
        Naming consumer = stage.open("consumer", "", right);
        Stage.registers(publisher, service, instance);
        consumer.subscribe(service, GROUP);
        consumer.hears("it", Stage.SOON, service, GROUP, Places.exactly(List.of(instance)));
        publisher.deregister(service, GROUP, instance);
        if (!stage.client().lacks().containsKey(Ability.EMPTIED)) {
            consumer.hears("that it left", Stage.SOON, service, GROUP, Places.exactly(List.of()));
        }
        consumer.unsubscribe(service, GROUP);
    }

    private static void wrong(Stage stage) throws Exception {
        refused(stage, stage.guarded(VICTIM, "wrong horse"));
    }

    private static void none(Stage stage) throws Exception {
        refused(stage, stage.guarded("", ""));
    }

    private static void refused(Stage stage, Map<String, String> words) throws Exception {
        String service = stage.service();
        Instance instance = stage.place();
        try {
            stage.open("publisher", "", words).register(service, GROUP, instance);
            throw new AssertionError("registered (expected: refused)");
        } catch (ClientFailure e) {
            System.out.println(stage.client().name() + " is told: " + e.getMessage());
        }
        try {
            List<Instance> list = stage.open("consumer", "", words).list(service, GROUP);
            throw new AssertionError("was given " + list + " (expected: refused)");
        } catch (ClientFailure e) {
            System.out.println(stage.client().name() + " is told: " + e.getMessage());
        }
        Naming entitled = stage.open("consumer", "", stage.guarded(USER, PASSWORD));
        if (!entitled.list(service, GROUP).isEmpty()) {
            throw new AssertionError("the refused registration is listed");
        }
    }
}
