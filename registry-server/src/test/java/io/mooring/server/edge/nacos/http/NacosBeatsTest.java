package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Metadata;
import io.mooring.server.edge.nacos.BeatTerms;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signs of life, full and light. */
class NacosBeatsTest {
    private static final String FINE = "{\"clientBeatInterval\":5000,\"code\":10200,\"lightBeatEnabled\":true}";
    private static final String NOBODY = "{\"clientBeatInterval\":5000,\"code\":20404,\"lightBeatEnabled\":true}";
    private final NacosCalls nacos = NacosCalls.SHARED;

    private static String beat(String service, String metadata) {
        return "beat="
                + NacosCalls.encoded("{\"ip\":\"10.0.0.1\",\"port\":80,\"weight\":2.0,\"serviceName\":\"G1@@" + service
                        + "\",\"cluster\":\"c1\",\"metadata\":" + metadata
                        + ",\"scheduled\":false,\"period\":5000,\"stopped\":false,\"load\":1,\"mem\":null}");
    }

    @Test
    void aLightBeatOfNobodyIsAnswered20404() throws Exception {
        Answer answer = nacos.call("PUT", "/v1/ns/instance/beat?serviceName=unheard&ip=10.0.0.1&port=80");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(NOBODY);
        assertThat(nacos.list("serviceName=unheard").get("hosts")).isEmpty();
    }

    @Test
    void aFullBeatOfNobodyRegistersIt() throws Exception {
        Answer answer =
                nacos.call("PUT", "/v1/ns/instance/beat?serviceName=G1@@beating", beat("beating", "{\"z\":\"1\"}"));

        assertThat(answer.body()).isEqualTo(FINE);
        var host = nacos.list("serviceName=G1@@beating").at("/hosts/0");
        assertThat(host.get("instanceId").asString()).isEqualTo("10.0.0.1#80#c1#G1@@beating");
        assertThat(host.get("weight").asDouble()).isEqualTo(2);
        assertThat(host.at("/metadata/z").asString()).isEqualTo("1");
    }

    @Test
    void beatsOfSomebodyAreFineAndChangeNothing() throws Exception {
        nacos.register("serviceName=alive&groupName=G1&ip=10.0.0.1&port=80&clusterName=c1&weight=9");

        Answer full = nacos.call("PUT", "/v1/ns/instance/beat?serviceName=G1@@alive", beat("alive", "{}"));
        Answer light =
                nacos.call("PUT", "/v1/ns/instance/beat?serviceName=G1@@alive&ip=10.0.0.1&port=80&clusterName=c1");

        assertThat(full.body()).isEqualTo(FINE);
        assertThat(light.body()).isEqualTo(FINE);
        assertThat(nacos.list("serviceName=G1@@alive").at("/hosts/0/weight").asDouble())
                .isEqualTo(9);
    }

    @Test
    void theAnswerTellsTheIntervalThatTheInstanceAskedFor() throws Exception {
        String labels = "{\"preserved.heart.beat.interval\":\"2000\"}";

        Answer answer = nacos.call("PUT", "/v1/ns/instance/beat?serviceName=G1@@quick", beat("quick", labels));

        assertThat(answer.at("/clientBeatInterval").asInt()).isEqualTo(2_000);
    }

    @Test
    void beatsOfV2HaveNoEnvelope() throws Exception {
        assertThat(nacos.call("PUT", "/v2/ns/instance/beat?serviceName=unheard&ip=10.0.0.1&port=80")
                        .body())
                .isEqualTo(NOBODY);
    }

    @Test
    void aBeatOfV3OfNobodyIsNoError() throws Exception {
        String path = "/v3/client/ns/instance?serviceName=v3beats&ip=10.0.0.1&port=80";

        Answer nobody = nacos.call("POST", path + "&heartBeat=true");
        nacos.call("POST", path);
        Answer somebody = nacos.call("POST", path + "&heartBeat=true");

        assertThat(nobody.status()).isEqualTo(200);
        assertThat(nobody.at("/code").asInt()).isEqualTo(21_003);
        assertThat(somebody.body()).isEqualTo("{\"code\":0,\"message\":\"success\",\"data\":\"ok\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "'',      '',      15000, 15000",
        "2000,    6000,     2000,  4000",
        "20000,   '',      20000, 10000",
        "'',      3000,     3000,     0", // leaves before it would be in doubt
        "x,       -1,      15000, 15000",
        "1,       2,        1000,     0",
        "999999999999, 999999999999, 86400000, 0"
    })
    void labelsSetTheTimesWithinBounds(String timeout, String delete, long ttl, long grace) {
        Metadata labels =
                Metadata.of(Map.of("preserved.heart.beat.timeout", timeout, "preserved.ip.delete.timeout", delete));

        assertThat(BeatTerms.of(labels, Metadata.empty()))
                .isEqualTo(new LeaseTerms(Duration.ofMillis(ttl), Duration.ofMillis(grace)));
    }

    @ParameterizedTest
    @CsvSource({"false,'',true", "FALSE,true,true", "'',false,true", "true,false,false", "'','',false", "no,'',false"})
    void whoSaysThatItWillNotBeatIsNotExpected(String own, String ofService, boolean forLong) {
        LeaseTerms terms = BeatTerms.of(enabled(own), enabled(ofService));

        assertThat(terms.ttl().compareTo(Duration.ofDays(1_000)) > 0).isEqualTo(forLong);
    }

    private static Metadata enabled(String value) {
        return value.isEmpty() ? Metadata.empty() : Metadata.of(Map.of("enableClientBeat", value));
    }
}
