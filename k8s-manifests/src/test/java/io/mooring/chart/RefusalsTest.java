package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values that make no sense are refused before anything is installed, and the refusal says what to do. */
class RefusalsTest {
    private static String refusal(String... values) {
        Throwable refused = catchThrowable(() -> Chart.text(values));
        assertThat(refused).as("%s is refused", List.of(values)).isNotNull();
        return String.valueOf(refused.getMessage());
    }

    private static String refusalWithSecret(String... values) {
        List<String> all = new ArrayList<>(List.of(values));
        all.add(Chart.SECRET);
        return refusal(all.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            replicaCount=0                              | /replicaCount | 1, 3, 5, 7
            replicaCount=2                              | /replicaCount | 1, 3, 5, 7
            replicaCount=4                              | /replicaCount | 1, 3, 5, 7
            replicaCount=9                              | /replicaCount | 1, 3, 5, 7
            replicaCount=-1                             | /replicaCount | 1, 3, 5, 7
            replicaCount=three                          | /replicaCount | integer
            replicas=3                                  | replicas      | not allowed
            image.version=1                             | version       | not allowed
            network.hostNetwork=true                    | hostNetwork   | not allowed
            network.mode=host                           | /network/mode | hostNetwork
            ports.http=64536                            | /ports/http   | want 64,535
            ports.session=0                             | /ports/session | minimum
            cluster.peers=10.0.0.1                      | /cluster/peers | array
            service.type=ExternalName                   | /service/type | NodePort
            drain.patience=15s                          | /drain/patience | integer
            drain.patience=-1                           | /drain/patience | minimum
            spread.hosts=yes                            | /spread/hosts | preferred
            properties.mooring\\.lease\\.tttl=20s       | mooring.lease.tttl | not allowed
            properties.mooring\\.http\\.port=80         | mooring.http.port | not allowed
            properties.mooring\\.cluster\\.secret=x     | mooring.cluster.secret | not allowed
            """)
    void theSchemaRefuses(String value, String where, String expected) {
        assertThat(refusalWithSecret(value)).contains(where).contains(expected);
    }

    /** Where a pattern alone would be an answer to nobody. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            image.repository=r.example/mooring:1.0 | image.repository: r.example/mooring:1.0 (expected: a name without a version | image.tag
            image.repository=Mooring               | image.repository: Mooring (expected: a name | registry.example/mooring/registry-server
            image.tag=a b                          | image.tag: a b (expected: a version         | 0.1.0
            image.digest=sha256:12                 | image.digest: sha256:12 (expected: sha256:  | 64
            cluster.name=two words                 | cluster.name: two words (expected: 1-64     | letters, digits
            cluster.name=                          | cluster.name:  (expected: 1-64              | letters, digits
            service.clusterIP=None                 | service.clusterIP: None (expected: a free   | 10.96.0.50
            persistence.size=much                  | persistence.size: much (expected: a number  | 2Gi
            podLabels.app\\.kubernetes\\.io/name=x | podLabels: app.kubernetes.io/name           | choose another name
            extraEnv[0].name=MOORING_LEASE_TTL     | extraEnv: MOORING_LEASE_TTL                 | under properties
            """)
    void theTemplatesRefuseInWords(String value, String what, String todo) {
        assertThat(refusalWithSecret(value)).contains(what).contains(todo);
    }

    @Test
    void anImageWithoutATag() {
        assertThat(refusalWithSecret("image.tag="))
                .contains("image.tag is empty: name the version to run, such as --set image.tag=0.1.0");
        assertThat(refusalWithSecret("image.tag=latest")).contains("another version every time", "image.digest");
        String digest = "sha256:" + "0".repeat(64);
        assertThat(Chart.rendered("image.tag=", "image.digest=" + digest).container())
                .containsEntry("image", "mooring/registry-server@" + digest);
    }

    @ParameterizedTest
    @CsvSource({"hostNetwork, preferred", "hostNetwork, none", "hostPort, preferred", "hostPort, none"})
    void portsOfHostsAndSeveralNodesOnOne(String mode, String hosts) {
        assertThat(refusalWithSecret("network.mode=" + mode, "spread.hosts=" + hosts))
                .contains("network.mode: " + mode + " with spread.hosts: " + hosts)
                .contains("set spread.hosts=required");
    }

    @Test
    void noSecretAtAll() {
        assertThat(refusal("peerSecret.generate=false"))
                .contains("name one that is there by peerSecret.existingSecret", "kubectl create secret generic");
    }

    /** Each rendering would make another one. */
    @Test
    void aSecretThatWouldNotStay() {
        assertThat(refusal())
                .contains("without a cluster to look into", "kubectl -n registry create secret generic mooring-peers")
                .contains("set peerSecret.existingSecret=mooring-peers");
    }

    @Test
    void portsThatMeet() {
        assertThat(refusalWithSecret("ports.session=9848")).contains("must differ", "8848, 9848, 9849, 8850, 9848");
        assertThat(refusalWithSecret("ports.operations=8848")).contains("must differ");
    }

    @Test
    void portsOfHostsThatNobodyListensTo() {
        assertThat(refusalWithSecret("service.nodePorts.http=30848")).contains("set service.type=NodePort");
    }

    @Test
    void aKubernetesThatIsTooOld() {
        Throwable refused = catchThrowable(() -> Chart.textOn("1.26.9", Chart.SECRET));

        assertThat(refused).hasMessageContaining("kubeVersion").hasMessageContaining(">=1.27");
    }
}
