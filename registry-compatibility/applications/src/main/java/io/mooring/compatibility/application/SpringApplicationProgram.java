package io.mooring.compatibility.application;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.cloud.client.serviceregistry.AbstractAutoServiceRegistration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.http.client.SimpleClientHttpRequestFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** An application of Spring Cloud Alibaba, of which its user has said where the registry is, and nothing else about it. */
public final class SpringApplicationProgram extends Program {
    private @Nullable ConfigurableApplicationContext application;
    private boolean template;

    /** @param arguments none */
    public static void main(String[] arguments) throws Exception {
        Class<?> starter = Class.forName("com.alibaba.cloud.nacos.NacosDiscoveryProperties");
        new SpringApplicationProgram().run(version(starter, "spring-cloud-starter-alibaba-nacos-discovery"));
    }

    @Override
    void open(JsonNode words, ObjectNode answer) {
        List<String> properties = new ArrayList<>(List.of(
                "--spring.application.name=" + words.path("application").asText(),
                "--spring.cloud.nacos.discovery.server-addr="
                        + words.path("servers").asText(),
                // Where it is itself: no test listens beyond this machine.
                "--server.address=127.0.0.1",
                "--server.port=0",
                "--spring.cloud.nacos.discovery.ip=127.0.0.1"));
        words.path("properties")
                .properties()
                .forEach(each -> properties.add(
                        "--" + each.getKey() + "=" + each.getValue().asText()));
        SpringApplication spring = new SpringApplication(Shop.class);
        ConfigurableApplicationContext started = spring.run(properties.toArray(String[]::new));
        application = started;
        answer.put("address", "127.0.0.1:" + started.getEnvironment().getProperty("local.server.port"));
    }

    private ConfigurableApplicationContext running() {
        return Objects.requireNonNull(application, "open comes first");
    }

    /** Both ways by turns. */
    @Override
    String call(String service) {
        String uri = "http://" + service + "/who";
        template = !template;
        String who = template
                ? running().getBean(RestTemplate.class).getForObject(uri, String.class)
                : running()
                        .getBean(RestClient.Builder.class)
                        .clone()
                        .build()
                        .get()
                        .uri(uri)
                        .retrieve()
                        .body(String.class);
        return String.valueOf(who);
    }

    @Override
    JsonNode instances(String service) {
        ArrayNode out = JSON.createArrayNode();
        for (ServiceInstance each : running().getBean(DiscoveryClient.class).getInstances(service)) {
            ObjectNode json = out.addObject().put("ip", each.getHost()).put("port", each.getPort());
            ObjectNode metadata = json.putObject("metadata");
            Objects.requireNonNullElse(each.getMetadata(), Map.<String, String>of())
                    .forEach(metadata::put);
        }
        return out;
    }

    @Override
    void leave() {
        running().getBean(AbstractAutoServiceRegistration.class).stop();
    }

    @Override
    void close() {
        running().close();
    }

    /** What its user writes. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {
        @Bean
        Who who(Environment environment) {
            return new Who(environment);
        }

        @Bean
        @LoadBalanced
        RestTemplate template() {
            return new RestTemplate(impatient());
        }

        @Bean
        @LoadBalanced
        RestClient.Builder client() {
            return RestClient.builder().requestFactory(impatient());
        }

        private static SimpleClientHttpRequestFactory impatient() {
            SimpleClientHttpRequestFactory out = new SimpleClientHttpRequestFactory();
            out.setConnectTimeout(2_000);
            out.setReadTimeout(2_000);
            return out;
        }
    }

    /** Says which process answers. */
    @RestController
    static class Who {
        private final Environment environment;

        Who(Environment environment) {
            this.environment = environment;
        }

        @GetMapping("/who")
        String who() {
            return "127.0.0.1:" + environment.getProperty("local.server.port");
        }
    }
}
