package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Services, catalog, namespaces, nodes: what tools ask. */
class NacosServicesTest {
    private final NacosCalls nacos = NacosCalls.SHARED;

    private void some(String namespace) throws Exception {
        for (String name : new String[] {"a", "b", "c"}) {
            nacos.register("serviceName=" + name + "&groupName=G1&ip=10.0.0.1&port=80&namespaceId=" + namespace);
        }
        nacos.register("serviceName=d&ip=10.0.0.1&port=80&namespaceId=" + namespace);
    }

    @Test
    void theNamesOfAGroupComeInPages() throws Exception {
        some("pages");
        String group = "/v1/ns/service/list?namespaceId=pages&groupName=G1";

        assertThat(nacos.get(group + "&pageNo=1&pageSize=2").body()).isEqualTo("{\"count\":3,\"doms\":[\"a\",\"b\"]}");
        assertThat(nacos.get(group + "&pageNo=2&pageSize=2").body()).isEqualTo("{\"count\":3,\"doms\":[\"c\"]}");
        assertThat(nacos.get(group + "&pageNo=3&pageSize=2").body()).isEqualTo("{\"count\":3,\"doms\":[]}");
        assertThat(nacos.get(group + "&pageNo=1&pageSize=2147483647").at("/doms"))
                .as("Spring Cloud asks for all of them like this")
                .hasSize(3);
        assertThat(nacos.get(group + "&pageNo=2147483647&pageSize=2147483647").at("/doms"))
                .isEmpty();
        assertThat(nacos.get("/v2/ns/service/list?namespaceId=pages").data().toString())
                .isEqualTo("{\"count\":1,\"services\":[\"d\"]}");
    }

    @Test
    void v1InsistsOnAPage() throws Exception {
        Answer answer = nacos.get("/v1/ns/service/list?pageNo=1");

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).isEqualTo("Param 'pageSize' is required.");
    }

    @Test
    void allNamesOfANamespaceAreListed() throws Exception {
        some("names");

        assertThat(nacos.get("/v1/ns/service/names?namespaceId=names").body())
                .isEqualTo(
                        "{\"services\":{\"names\":[\"DEFAULT_GROUP@@d\",\"G1@@a\",\"G1@@b\",\"G1@@c\"]},\"count\":4}");
    }

    @Test
    void aServiceIsThereWhenItHasInstances() throws Exception {
        some("there");

        JsonNode v1 = nacos.get("/v1/ns/service?serviceName=a&groupName=G1&namespaceId=there")
                .json();
        JsonNode v2 = nacos.get("/v2/ns/service?serviceName=a&groupName=G1&namespaceId=there")
                .data();
        Answer absent = nacos.get("/v1/ns/service?serviceName=x&namespaceId=there");
        Answer absentV2 = nacos.get("/v2/ns/service?serviceName=x&namespaceId=there");

        assertThat(v1.get("name").asString()).isEqualTo("a");
        assertThat(v1.at("/selector/type").asString()).isEqualTo("none");
        assertThat(v1.at("/clusters/0/name").asString()).isEqualTo("DEFAULT");
        assertThat(v2.get("serviceName").asString()).isEqualTo("a");
        assertThat(v2.at("/clusterMap/DEFAULT").isObject()).isTrue();
        assertThat(absent.status()).isEqualTo(400);
        assertThat(absentV2.status()).isEqualTo(404);
        assertThat(absentV2.at("/code").asInt()).isEqualTo(21_008);
    }

    @Test
    void theCatalogCounts() throws Exception {
        some("counted");
        nacos.register("serviceName=a&groupName=G1&ip=10.0.0.2&port=80&clusterName=c2&namespaceId=counted");

        JsonNode v1 = nacos.get("/v1/ns/catalog/services?namespaceId=counted&groupNameParam=G&hasIpCount=true")
                .json();
        JsonNode v3 = nacos.get("/v3/admin/ns/service/list?namespaceId=counted&serviceNameParam=a&pageNo=1&pageSize=1")
                .data();

        assertThat(v1.get("count").asInt()).isEqualTo(4); // DEFAULT_GROUP has a G, too
        assertThat(v1.at("/serviceList/1").toString())
                .isEqualTo("{\"name\":\"a\",\"groupName\":\"G1\",\"clusterCount\":2,\"ipCount\":2,"
                        + "\"healthyInstanceCount\":2,\"triggerFlag\":\"false\"}");
        assertThat(v3.get("totalCount").asInt()).isEqualTo(1);
        assertThat(v3.get("pagesAvailable").asInt()).isEqualTo(1);
        assertThat(nacos.get("/v1/ns/catalog/service?serviceName=a&groupName=G1&namespaceId=counted")
                        .at("/clusters/1/name")
                        .asString())
                .isEqualTo("c2");
    }

    @Test
    void publishersAreShownByAddress() throws Exception {
        some("published");

        assertThat(nacos.get("/v2/ns/client/service/publisher/list?serviceName=d&namespaceId=published")
                        .data()
                        .toString())
                .isEqualTo("[{\"clientId\":\"10.0.0.1:80#true\",\"ip\":\"10.0.0.1\",\"port\":80}]");
    }

    @Test
    void subscribersByUdpAreShown() throws Exception {
        nacos.list("serviceName=watched&clusters=c1&udpPort=40001");

        JsonNode answer =
                nacos.get("/v1/ns/service/subscribers?serviceName=watched").json();

        assertThat(answer.get("count").asInt()).isEqualTo(1);
        assertThat(answer.at("/subscribers/0/addrStr").asString()).isEqualTo("127.0.0.1:40001");
        assertThat(answer.at("/subscribers/0/cluster").asString()).isEqualTo("c1");
    }

    @Test
    void namespacesAreThoseWithSomethingInThem() throws Exception {
        some("ns-1");

        String all = nacos.get("/v1/console/namespaces").json().get("data").toString();
        JsonNode v2 = nacos.get("/v2/console/namespace/list").data();

        assertThat(all).startsWith("[{\"namespace\":\"\",\"namespaceShowName\":\"public\"");
        assertThat(all).contains("\"namespace\":\"ns-1\"");
        assertThat(v2.at("/0/namespace").asString()).isEqualTo("public");
        assertThat(nacos.get("/v1/console/namespaces?checkNamespaceIdExist=true&customNamespaceId=ns-1")
                        .body())
                .isEqualTo("true");
        assertThat(nacos.get("/v1/console/namespaces?checkNamespaceIdExist=true&customNamespaceId=ns-2")
                        .body())
                .isEqualTo("false");
        assertThat(nacos.get("/v1/console/namespaces?show=all&namespaceId=ns-1")
                        .at("/type")
                        .asInt())
                .isEqualTo(2);
        assertThat(nacos.get("/v1/console/namespaces?show=all&namespaceId=ns-2").status())
                .isEqualTo(404);
    }

    @Test
    void aNamespaceNeedNotBeMadeAndCannotBeTakenFromServices() throws Exception {
        some("ns-3");

        assertThat(nacos.call("POST", "/v1/console/namespaces", "customNamespaceId=ns-4&namespaceName=x")
                        .body())
                .isEqualTo("true");
        assertThat(nacos.call("POST", "/v1/console/namespaces", "customNamespaceId=n%20s")
                        .status())
                .isEqualTo(400);
        assertThat(nacos.call("DELETE", "/v1/console/namespaces?namespaceId=ns-4")
                        .body())
                .isEqualTo("true");
        Answer used = nacos.call("DELETE", "/v2/console/namespace?namespaceId=ns-3");
        assertThat(used.status()).isEqualTo(400);
        assertThat(used.at("/code").asInt()).isEqualTo(22_000);
        assertThat(nacos.call("PUT", "/v1/console/namespaces", "namespace=ns-3&namespaceShowName=x")
                        .status())
                .isEqualTo(501);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/core/cluster/nodes", "/v2/core/cluster/node/list", "/v3/admin/core/cluster/node/list"})
    void theNodesAreListed(String path) throws Exception {
        JsonNode self = nacos.get(path).data().get(0);

        assertThat(self.get("state").asString()).isEqualTo("UP");
        assertThat(self.get("address").asString())
                .isEqualTo("127.0.0.1:" + nacos.server().port());
    }

    @Test
    void theStatusIsWhatClientsLookAt() throws Exception {
        assertThat(nacos.get("/v1/ns/operator/metrics").body()).isEqualTo("{\"status\":\"UP\"}");
        JsonNode all = nacos.get("/v1/ns/ops/metrics?onlyStatus=false").json();
        assertThat(all.get("instanceCount").asInt()).isGreaterThanOrEqualTo(0);
        assertThat(nacos.get("/v2/ns/operator/metrics").data().get("status").asString())
                .isEqualTo("UP");
        assertThat(nacos.get("/v1/ns/operator/servers?healthy=true")
                        .at("/servers")
                        .size())
                .isEqualTo(1);
        assertThat(nacos.get("/v1/console/server/state").at("/function_mode").asString())
                .isEqualTo("naming");
    }

    @Test
    void switchesAreShownAndNotTurned() throws Exception {
        JsonNode switches = nacos.get("/v1/ns/operator/switches").json();

        assertThat(switches.get("lightBeatEnabled").asBoolean()).isTrue();
        assertThat(switches.get("overriddenServerStatus").isNull()).isTrue();
        assertThat(nacos.call("PUT", "/v1/ns/operator/switches?entry=pushEnabled&value=false")
                        .status())
                .isEqualTo(501);
    }
}
