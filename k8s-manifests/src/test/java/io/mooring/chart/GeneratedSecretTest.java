package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The secret of peers is made once. With a cluster that only keeps what it is given. */
class GeneratedSecretTest {
    private static final String NAMESPACE = Chart.NAMESPACE;
    private static final String NAME = "mooring-peer-secret";

    private final FakeCluster cluster;

    GeneratedSecretTest() throws IOException {
        cluster = new FakeCluster();
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    private void install() {
        Chart.helm()
                .install()
                .withName(Chart.RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeConfigContents(cluster.kubeConfig())
                .disableOpenApiValidation()
                .call();
    }

    private void upgrade(String key, Object value) {
        Chart.helm()
                .upgrade()
                .withName(Chart.RELEASE)
                .withNamespace(NAMESPACE)
                .withKubeConfigContents(cluster.kubeConfig())
                .disableOpenApiValidation()
                .set(key, value)
                .call();
    }

    private String secret() {
        return (String) Yamls.get(cluster.secret(NAMESPACE, NAME).orElseThrow(), "data.secret");
    }

    @Test
    void upgradesKeepIt() {
        install();
        String made = secret();
        assertThat(new String(Base64.getDecoder().decode(made), StandardCharsets.UTF_8))
                .matches("[A-Za-z0-9]{43}");

        upgrade("image.tag", "0.2.0");

        assertThat(secret()).isEqualTo(made);
        assertThat(Yamls.mapAt(cluster.secret(NAMESPACE, NAME).orElseThrow(), "metadata.annotations"))
                .containsEntry("helm.sh/resource-policy", "keep");
    }

    /** Nodes that run have the old one, and would refuse those that get the new one. */
    @Test
    void oneThatWasLostIsNotReplacedSilently() {
        install();
        cluster.removeSecret(NAMESPACE, NAME);

        assertThatThrownBy(() -> upgrade("replicaCount", 5))
                .hasMessageContaining("the Secret " + NAME + " with the key secret is not in the namespace registry")
                .hasMessageContaining("a new one would split the nodes that run")
                .hasMessageContaining("kubectl -n registry create secret generic " + NAME);
    }
}
