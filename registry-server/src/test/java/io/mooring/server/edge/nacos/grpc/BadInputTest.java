package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mooring.server.edge.nacos.LogLines;
import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import io.mooring.server.lease.LeaseSettings;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What makes no sense is answered in the shape that clients understand, the connection stays, and nothing has changed. */
class BadInputTest {
    private static final String REGISTER = "{'serviceName':'%s','type':'registerInstance','instance':%s}";

    private static final LeaseSettings STANDARD = LeaseSettings.DEFAULTS;
    private static final LeaseSettings FOUR_INSTANCES_EACH = new LeaseSettings(
            STANDARD.ttl(),
            STANDARD.grace(),
            STANDARD.evictionWindow(),
            STANDARD.evictionShare(),
            STANDARD.evictionFloor(),
            STANDARD.maxInstances(),
            STANDARD.maxServices(),
            STANDARD.maxInstancesPerService(),
            4,
            STANDARD.maxSessions());

    private TestEndpoint end;
    private TestClient client;
    private LogLines log;

    @BeforeEach
    void start() {
        end = new TestEndpoint(wishes -> {
            wishes.subscriptions = 2;
            wishes.lease = FOUR_INSTANCES_EACH;
        });
        client = TestClient.connected(end.port);
        assertEquals(200, client.register("steady", 1).json().get("resultCode").asInt());
        log = new LogLines();
    }

    @AfterEach
    void nothingHasChangedAndTheConnectionIsWell() {
        assertEquals(
                "HealthCheckResponse",
                client.request("HealthCheckRequest", "{}").type());
        assertEquals(1, client.query("steady").hosts().size());
        assertEquals(1, end.node.services().size(), () -> "there are " + end.node.services());
        assertTrue(client.isOpen());
        client.close();
        end.close();
        log.close();
        assertTrue(log.lines().size() <= 1, () -> "more than one line: " + log.lines());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "InstanceRequest       | InstanceResponse         | 502 | {                                     | the body of InstanceRequest is not JSON",
                "InstanceRequest       | InstanceResponse         | 502 | [1]                                   | the body of InstanceRequest is not JSON",
                "InstanceRequest       | InstanceResponse         | 502 | {} {}                                 | the body of InstanceRequest is not JSON",
                "InstanceRequest       | InstanceResponse         | 502 | {'a':}                                | the body of InstanceRequest is not JSON",
                "InstanceRequest       | InstanceResponse         | 400 | {}                                    | serviceName:  (expected: the name of a service)",
                "InstanceRequest       | InstanceResponse         | 400 | {'serviceName':['x']}                 | serviceName: a list (expected: text)",
                "InstanceRequest       | InstanceResponse         | 400 | {'serviceName':'x'}                   | type:  (expected: registerInstance or deregisterInstance)",
                "InstanceRequest       | InstanceResponse         | 400 | {'serviceName':'x','type':'destroy'}  | type: destroy (expected: registerInstance or deregisterInstance)",
                "InstanceRequest       | InstanceResponse         | 400 | {'serviceName':'x','type':'registerInstance'} | instance:  (expected: an instance)",
                "InstanceRequest       | InstanceResponse         | 400 | {'serviceName':'x','type':'registerInstance','instance':null} | instance:  (expected: an instance)",
                "InstanceRequest       | InstanceResponse         | 400 | {'serviceName':'x','type':'registerInstance','instance':7} | instance: 7 (expected: an object)",
                "BatchInstanceRequest  | BatchInstanceResponse    | 400 | {'serviceName':'x','type':'registerInstance'} | type: registerInstance (expected: batchRegisterInstance)",
                "BatchInstanceRequest  | BatchInstanceResponse    | 400 | {'serviceName':'x','type':'batchRegisterInstance'} | instances:  (expected: a list of instances, which may be empty)",
                "BatchInstanceRequest  | BatchInstanceResponse    | 400 | {'serviceName':'x','type':'batchRegisterInstance','instances':[7]} | instances[0]: 7 (expected: an object)",
                "ServiceQueryRequest   | QueryServiceResponse     | 400 | {'serviceName':'a b'}                 | serviceName: a b (expected: 1-512 visible ASCII characters, the first not '@', and no '@@')",
                "ServiceQueryRequest   | QueryServiceResponse     | 400 | {'serviceName':'x','healthyOnly':'maybe'} | healthyOnly: maybe (expected: true or false)",
                "ServiceQueryRequest   | QueryServiceResponse     | 400 | {'serviceName':'x','groupName':'a@@b'} | groupName: a@@b (expected: 1-128 characters: letters, digits, '_', '-', '.', ':')",
                "SubscribeServiceRequest | SubscribeServiceResponse | 400 | {'serviceName':'x','namespace':'a/b'} | namespaceId: a/b (expected: 1-64 characters: letters, digits, '_', '-', '.')",
                "ServiceListRequest    | ServiceListResponse      | 400 | {'pageNo':1,'pageSize':0}             | pageSize: 0 (expected: at least 1)",
                "ServiceListRequest    | ServiceListResponse      | 400 | {'pageNo':1.5,'pageSize':1}           | pageNo: 1.5 (expected: a whole number)",
                "NamingFuzzyWatchRequest | NamingFuzzyWatchResponse | 400 | {'watchType':'WATCH','groupKeyPattern':'a>>b'} | groupKeyPattern: a>>b (expected: namespace>>group>>service of at most 1024 characters)",
                "NamingFuzzyWatchRequest | NamingFuzzyWatchResponse | 400 | {'watchType':'STARE','groupKeyPattern':'a>>b>>c'} | watchType: STARE (expected: WATCH or CANCEL_WATCH)",
                "MysteryRequest        | ErrorResponse            | 302 | {}                                    | there is no handler for MysteryRequest",
                "LockOperationRequest  | ErrorResponse            | 302 | not even JSON                         | there is no handler for LockOperationRequest",
            })
    void aBadRequestIsRefusedByName(String type, String answerType, int code, String json, String message) {
        Message answer = client.request(type, json.replace('\'', '"'));

        JsonNode body = answer.json();
        assertEquals(answerType, answer.type());
        assertEquals(code, body.get("errorCode").asInt());
        assertEquals(500, body.get("resultCode").asInt());
        assertFalse(body.get("success").asBoolean());
        assertEquals(
                message.replaceAll("'([@_.:-]+)'", "\"$1\"").replace('"', '\''),
                body.get("message").asString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'ip':'10.0.0.1'}                              | port: -1 (expected: 0-65535)",
                "{'port':1}                                     | ip:  (expected: an IP address or host name)",
                "{'ip':'10.0.0.1','port':65536}                 | port: 65536 (expected: 0-65535)",
                "{'ip':'10.0.0.1','port':'many'}                | port: many (expected: a number)",
                "{'ip':'10.0.0.1','port':1,'weight':-1}         | weight: -1.0 (expected: 0-10000)",
                "{'ip':'10.0.0.1','port':1,'weight':10001}      | weight: 10001.0 (expected: 0-10000)",
                "{'ip':'10.0.0.1','port':1,'weight':'NaN'}      | weight: NaN (expected: 0-10000)",
                "{'ip':'10.0.0.1','port':1,'enabled':2}         | enabled: 2 (expected: true or false)",
                "{'ip':'10.0.0.1','port':1,'metadata':[]}       | metadata: a list (expected: an object of texts)",
                "{'ip':'10.0.0.1','port':1,'metadata':{'k':{}}} | metadata.k: an object (expected: text)",
                "{'ip':'a b','port':1}                          | ip: a b (expected: 1-253 characters: an IP address or host name without brackets)",
                "{'ip':'10.0.0.1','port':1,'clusterName':'c,d'} | clusterName: c,d (expected: 1-64 characters: letters, digits, `_`, `-`, `.`)",
            })
    void aBadInstanceIsRefusedByField(String instance, String message) {
        Message answer = client.request(
                "InstanceRequest", String.format(REGISTER, "x", instance).replace('\'', '"'));

        assertEquals(400, answer.json().get("errorCode").asInt());
        assertEquals(message.replace('`', '\''), answer.json().get("message").asString());
    }

    /** Each in the answer that its client waits for: over an ErrorResponse it would leave with all it has registered. */
    @ParameterizedTest
    @CsvSource({
        "ServerCheckRequest,      ServerCheckResponse",
        "HealthCheckRequest,      HealthCheckResponse",
        "InstanceRequest,         InstanceResponse",
        "BatchInstanceRequest,    BatchInstanceResponse",
        "PersistentInstanceRequest, InstanceResponse",
        "ServiceQueryRequest,     QueryServiceResponse",
        "SubscribeServiceRequest, SubscribeServiceResponse",
        "ServiceListRequest,      ServiceListResponse",
        "NamingFuzzyWatchRequest, NamingFuzzyWatchResponse",
        "ConfigQueryRequest,      ConfigQueryResponse"
    })
    void brokenJsonIsRefusedWhateverIsAskedFor(String type, String answerType) {
        String deep = "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        String escapes = "{\"serviceName\":\"\\ud800\\q\"}";
        for (String json : List.of("{", "null", "\"text\"", deep, escapes, "{\"a\":1}}", "\u0000")) {
            Message answer = client.request(type, json);

            String shown = json.substring(0, Math.min(20, json.length())) + " -> " + answer.text();
            assertEquals(answerType, answer.type(), shown);
            assertEquals(502, answer.json().get("errorCode").asInt(), shown);
            assertEquals(500, answer.json().get("resultCode").asInt(), shown);
            assertFalse(answer.json().get("success").asBoolean(), shown);
        }
        byte[] notUtf8 = TestClient.payload(type, "{\"serviceName\":\"x\"}", Map.of());
        notUtf8[notUtf8.length - 3] = (byte) 0xff; // the x
        assertEquals(502, client.request(notUtf8).json().get("errorCode").asInt());
    }

    @Test
    void aListBeyondTheLimitIsRefusedWhole() {
        List<String> hosts = new ArrayList<>();
        for (int port = 1; port <= 4; port++) {
            hosts.add(TestClient.host(port));
        }

        Message answer = client.request(
                "BatchInstanceRequest",
                "{\"serviceName\":\"large\",\"type\":\"batchRegisterInstance\",\"instances\":["
                        + String.join(",", hosts) + "]}");

        assertEquals("BatchInstanceResponse", answer.type());
        assertEquals(500, answer.json().get("errorCode").asInt());
        assertTrue(answer.json().get("message").asString().contains("(expected: at most 4"), answer.text());
        assertEquals(0, client.query("large").hosts().size(), "none of them, as one of them is too many");
    }

    /** A text that is small on its way and large when it is read. */
    @Test
    void aCompressedPayloadBeyondTenMebibytesIsRefused() {
        byte[] payload = TestClient.payload(
                "InstanceRequest", "{" + " ".repeat(NacosGrpcSettings.MESSAGE_BYTES) + "}", Map.of());

        Message answer = client.requestCompressed(payload);

        assertEquals("ErrorResponse", answer.type());
        assertEquals(502, answer.json().get("errorCode").asInt());
        assertTrue(answer.json().get("message").asString().startsWith("the payload is too long: "), answer.text());
        byte[] small = TestClient.payload("HealthCheckRequest", "{}", Map.of());
        assertEquals("HealthCheckResponse", client.requestCompressed(small).type(), "others are read");
    }

    @Test
    void whatNacosWouldTakeIsTaken() {
        Message answer = client.request(
                "InstanceRequest",
                "{\"serviceName\":\"DEFAULT_GROUP@@steady\",\"namespace\":null,\"type\":\"registerInstance\",\"more\":[{}],"
                        + "\"instance\":{\"ip\":\"10.0.0.1\",\"port\":\"8\",\"weight\":\"2\",\"enabled\":\"true\","
                        + "\"metadata\":{\"n\":1,\"t\":true,\"gone\":null},\"clusterName\":null}}");

        assertEquals(200, answer.json().get("resultCode").asInt(), answer.text());
        JsonNode host = client.query("steady").hosts().get(0);
        assertEquals("{\"n\":\"1\",\"t\":\"true\"}", host.get("metadata").toString());
        assertEquals(8, host.get("port").asInt());
    }

    @Test
    void aPayloadThatIsNoProtobufIs502() {
        Message answer = client.request(new byte[] {(byte) 0xff, 1, 2, 3});

        assertEquals("ErrorResponse", answer.type());
        assertEquals(502, answer.json().get("errorCode").asInt());
    }

    @Test
    void aPayloadBeyondTenMebibytesEndsItsCallAlone() {
        String blank = " ".repeat(NacosGrpcSettings.MESSAGE_BYTES);

        TestClient.EndedException e = assertThrows(
                TestClient.EndedException.class, () -> client.request("InstanceRequest", "{" + blank + "}"));

        assertTrue(
                e.status.getCode() == Status.Code.RESOURCE_EXHAUSTED || e.status.getCode() == Status.Code.CANCELLED,
                e.status.toString());
    }

    @Test
    void aLongNameIsCutInTheComplaint() {
        Message answer = client.query("x".repeat(100_000));

        assertEquals(400, answer.json().get("errorCode").asInt());
        assertTrue(answer.text().length() < 500, "cut");
    }

    @Test
    void anIdBeyondMeasureIsNotGivenBack() {
        Message answer = client.request(
                "ServiceQueryRequest", "{\"requestId\":\"" + "9".repeat(100_000) + "\",\"serviceName\":\"steady\"}");

        assertEquals(400, answer.json().get("errorCode").asInt());
        assertFalse(answer.json().has("requestId"));
    }

    @Test
    void subscriptionsHaveALimit() {
        client.subscribe("a");
        client.subscribe("b");

        Message third = client.subscribe("c");

        assertEquals("SubscribeServiceResponse", third.type());
        assertEquals(500, third.json().get("errorCode").asInt());
        assertEquals(
                "subscriptions: 2 (expected: at most 2); unsubscribe from some",
                third.json().get("message").asString());
        assertEquals(200, client.subscribe("a").json().get("resultCode").asInt(), "that one it has");
    }

    @Test
    void whereTooMuchIsOnItsWayLargeAnswersAreRefused() {
        try (TestEndpoint narrow = new TestEndpoint(wishes -> wishes.outgoingBytes = 0);
                TestClient reader = new TestClient(narrow.port)) {
            reader.setUp(TestClient.SET_UP); // of which it hears nothing: there is no room
            TestEndpoint.await(() -> narrow.node.status().sessions() == 1);
            reader.register("small", 1);
            List<String> hosts = new ArrayList<>();
            for (int port = 1; port < 100; port++) {
                hosts.add(
                        TestClient.host(port).replace("{}", "{\"key-" + port * 7919 + "\":\"" + port * 104729 + "\"}"));
            }
            reader.request(
                    "BatchInstanceRequest",
                    "{\"serviceName\":\"large\",\"type\":\"batchRegisterInstance\",\"instances\":["
                            + String.join(",", hosts) + "]}");

            try (TestClient plain = new TestClient(narrow.port, false)) {
                plain.setUp(TestClient.SET_UP);
                TestEndpoint.await(() -> narrow.node.status().sessions() == 2);
                Message refused = plain.query("large");

                assertEquals("QueryServiceResponse", refused.type());
                assertEquals(503, refused.json().get("errorCode").asInt());
                assertEquals(1, plain.query("small").hosts().size(), "small ones are not");
            }
        }
    }

    @Test
    void nonsenseOnTheStreamMeansNothing() {
        client.say(new byte[] {(byte) 0xff});
        client.say("NotifySubscriberResponse", "{\"requestId\":\"99999\",\"resultCode\":200}");
        client.say("NotifySubscriberResponse", "{\"requestId\":\"not a number\"}");
        client.say("NotifySubscriberResponse", "{\"requestId\":\"999999999999999999999999999\"}");
        client.say("NotifySubscriberResponse", "not JSON");
        client.say("InstanceRequest", TestClient.instance("x", "registerInstance", 1));
        client.say("ClientDetectionResponse", "{}");

        client.assertNothing();
    }

    @Test
    void aStreamThatBeginsWithSomethingElseIsNotSetUp() {
        try (TestClient hasty = new TestClient(end.port)) {
            hasty.setUp("not JSON");
            hasty.say("ClientDetectionResponse", "{\"requestId\":\"1\"}");
            assertEquals(301, hasty.register("x", 1).json().get("errorCode").asInt());

            hasty.say("ConnectionSetupRequest", TestClient.SET_UP);
            assertEquals("SetupAckRequest", hasty.next().type());
        }
    }

    @Test
    void whatIsNoHttp2IsClosed() throws IOException {
        Random random = new Random(7);
        byte[] noise = new byte[4_096];
        random.nextBytes(noise);
        for (byte[] bytes :
                new byte[][] {noise, "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII)}) {
            try (Socket socket = new Socket("127.0.0.1", end.port)) {
                socket.setSoTimeout(20_000);
                OutputStream out = socket.getOutputStream();
                out.write(bytes);
                out.flush();
                int read;
                do {
                    read = socket.getInputStream().read(new byte[1_024]);
                } while (read > 0);
            } catch (java.net.SocketException e) {
                assertTrue(e.getMessage().contains("reset") || e.getMessage().contains("pipe"), e.getMessage());
            }
        }
        TestEndpoint.await(() -> end.server.connections() == 1);
    }

    @Test
    void tokensAreAskedForOnlyWhereAccessIsGuarded() {
        try (TestEndpoint guarded =
                        new TestEndpoint(wishes -> wishes.access = new io.mooring.server.edge.nacos.Access() {
                            @Override
                            public boolean required() {
                                return true;
                            }

                            @Override
                            public boolean allows(String token) {
                                return "good".equals(token);
                            }
                        });
                TestClient stranger = TestClient.connected(guarded.port)) {
            assertEquals(
                    "ServerCheckResponse",
                    stranger.request("ServerCheckRequest", "{}").type());
            JsonNode refused = stranger.register("x", 1).json();
            assertEquals(403, refused.get("errorCode").asInt());
            assertEquals(500, refused.get("resultCode").asInt());
            byte[] withToken = TestClient.payload(
                    "InstanceRequest",
                    TestClient.instance("x", "registerInstance", 1),
                    Map.of("app", "unknown", "accessToken", "good"));
            assertEquals(
                    200, stranger.request(withToken).json().get("resultCode").asInt());
        }
    }
}
