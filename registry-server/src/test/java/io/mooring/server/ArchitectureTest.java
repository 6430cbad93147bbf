package io.mooring.server;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The package table of docs/architecture.md, repeated where the build can see it. */
class ArchitectureTest {
    private static final String[] CORE = {
        "io.mooring.runtime..",
        "io.mooring.server.shard..",
        "io.mooring.server.lease..",
        "io.mooring.server.catalog..",
        "io.mooring.server.protection..",
        "io.mooring.server.push..",
        "io.mooring.server.clock..",
        "io.mooring.server.codec..",
        "io.mooring.server.restore..",
        "io.mooring.server.durable..",
        "io.mooring.server.check..",
        "io.mooring.server.membership..",
        "io.mooring.server.replication..",
        "io.mooring.server.node.."
    };

    private static final String[] ALWAYS = {
        "java..", "javax.crypto..", "org.slf4j..", "org.jspecify..", "io.mooring.model.."
    };

    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.mooring");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shard      |                                                | it is the truth; everybody else depends on it",
                "codec      | shard                                          | bytes, on disk and between nodes, without an opinion on them",
                "lease      | shard, runtime                                 | it decides who is registered, not who hears of it",
                "protection |                                                | it is pure: numbers in, a verdict out",
                "catalog    | shard, protection, runtime                     | it folds what it is given and asks nobody back",
                "push       | runtime                                        | it knows views and subscribers, not where they come from",
                "restore    | shard, codec, runtime                          | it writes what was decided and decides nothing",
                "durable    | shard, codec, restore, runtime                 | it keeps what was settled and asks nobody whether that makes sense",
                "check      | durable, runtime                               | it asks in its rhythm and judges; how to ask is an edge's",
                "clock      | restore                                        | it tells the time to whoever compares, and decides nothing",
                "membership | shard, restore, runtime                         | it knows who is there, not what they have",
                "replication | shard, clock, codec, membership, restore, runtime    | it moves shards and decides about nobody",
                "node       | runtime, clock, shard, codec, lease, catalog, protection, push, restore, durable, check, membership, replication | it wires the core and knows no edge",
            })
    void aCorePackageImportsOnlyWhatTheTableAllows(String name, String allowed, String because) {
        List<String> packages = new ArrayList<>(List.of(ALWAYS));
        packages.add("io.mooring.server." + name + "..");
        if (allowed != null) {
            for (String other : allowed.split(",\\s*")) {
                packages.add(
                        other.trim().equals("runtime")
                                ? "io.mooring.runtime.."
                                : "io.mooring.server." + other.trim() + "..");
            }
        }
        classes()
                .that()
                .resideInAPackage("io.mooring.server." + name + "..")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(packages.toArray(String[]::new)))
                .because(because)
                .check(OURS);
    }

    @Test
    void nobodyImportsTheConfiguration() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.mooring.server.config..")
                .and()
                .doNotHaveSimpleName("MooringServer")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.mooring.server.config..")
                .because("wiring knows the parts; the parts do not know the wiring")
                .check(OURS);
    }

    @Test
    void edgesDoNotKnowEachOther() {
        for (String edge : List.of("http", "session", "peer", "disk", "probe", "nacos")) {
            noClasses()
                    .that()
                    .resideInAPackage("io.mooring.server.edge." + edge + "..")
                    .should()
                    .dependOnClassesThat(resideInAnyPackage("io.mooring.server.edge..")
                            .and(DescribedPredicate.not(resideInAnyPackage("io.mooring.server.edge." + edge + ".."))))
                    .because("an edge can be taken away without the others noticing")
                    .check(OURS);
        }
    }

    @Test
    void whatTheEndpointsForNacosClientsShareKnowsNeitherOfThem() {
        noClasses()
                .that()
                .resideInAPackage("io.mooring.server.edge.nacos")
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "io.mooring.server.edge.nacos.grpc..",
                        "io.mooring.server.edge.nacos.http..",
                        "io.grpc..",
                        "io.netty..",
                        "org.springframework.."))
                .because("it is names, JSON and what clients are told; how that travels is the endpoints' own")
                .check(OURS);
        for (String[] pair : new String[][] {{"grpc", "http"}, {"http", "grpc"}}) {
            noClasses()
                    .that()
                    .resideInAPackage("io.mooring.server.edge.nacos." + pair[0] + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("io.mooring.server.edge.nacos." + pair[1] + "..")
                    .allowEmptyShould(true)
                    .because("each can be taken away without the other noticing")
                    .check(OURS);
        }
    }

    @Test
    void whatTheWebSocketPortsShareKnowsNoneOfThem() {
        noClasses()
                .that()
                .resideInAPackage("io.mooring.server.websocket..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.mooring..")
                        .and(DescribedPredicate.not(resideInAnyPackage("io.mooring.server.websocket.."))))
                .because("edges share it without knowing each other")
                .check(OURS);
    }

    @Test
    void whatTheInterfacesOnTheHttpPortShareKnowsNoneOfThem() {
        noClasses()
                .that()
                .resideInAPackage("io.mooring.server.web..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("io.mooring..")
                        .and(DescribedPredicate.not(resideInAnyPackage(
                                "io.mooring.server.web..", "io.mooring.runtime..", "io.mooring.model.."))))
                .because("edges share it without knowing each other")
                .check(OURS);
    }

    /** The names of what would bring a clock, chance, a thread or the outside world into the core. */
    private static final Set<String> IMPURE_TYPES = Set.of(
            "java.lang.Thread",
            "java.util.Random",
            "java.util.UUID",
            "java.util.Timer",
            "java.util.concurrent.ThreadLocalRandom",
            "java.util.concurrent.ForkJoinPool",
            "java.util.concurrent.Executors",
            "java.util.concurrent.CompletableFuture",
            "java.security.SecureRandom",
            "java.time.Clock",
            "java.io.File",
            "java.nio.file.Files",
            "java.nio.file.Path");

    private static final Set<String> IMPURE_METHODS =
            Set.of("java.lang.System.nanoTime", "java.lang.System.currentTimeMillis", "java.lang.Math.random");

    private static final Set<String> CLOCK_READERS = Set.of("now", "systemUTC", "systemDefaultZone", "parallelStream");

    @Test
    void theCoreReadsNoClockStartsNoThreadDrawsNoGlobalChanceAndOpensNothing() {
        DescribedPredicate<JavaAccess<?>> impure =
                DescribedPredicate.describe("a clock, chance, a thread or the outside world", access -> {
                    JavaClass owner = access.getTargetOwner();
                    String method = owner.getName() + "." + access.getTarget().getName();
                    return IMPURE_TYPES.contains(owner.getName())
                            || IMPURE_METHODS.contains(method)
                            || owner.getPackageName().startsWith("java.net")
                            || owner.getPackageName().startsWith("java.nio.channels")
                            || (owner.getPackageName().startsWith("java.time")
                                    && CLOCK_READERS.contains(access.getTarget().getName()))
                            || access.getTarget().getName().equals("parallelStream");
                });
        noClasses()
                .that()
                .resideInAnyPackage(CORE)
                .and()
                .doNotHaveFullyQualifiedName("io.mooring.runtime.ThreadEventLoop")
                .should()
                .accessTargetWhere(impure)
                .because("the simulation runs the same core in virtual time from one seed;"
                        + " time, chance, threads, the network and the disk come in through constructors,"
                        + " and ThreadEventLoop is the one core class that owns a thread and a clock")
                .check(OURS);
    }

    @Test
    void theModelAndTheProtocolAreOnlyThemselves() {
        classes()
                .that()
                .resideInAPackage("io.mooring.model..")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("java..", "org.jspecify..", "io.mooring.model.."))
                .because("both sides speak of these values")
                .check(OURS);
        classes()
                .that()
                .resideInAPackage("io.mooring.protocol..")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "java..",
                        "org.jspecify..",
                        "com.fasterxml.jackson.core..",
                        "io.mooring.model..",
                        "io.mooring.protocol.."))
                .because("an SDK carries nothing but jackson-core")
                .check(OURS);
    }
}
