package io.mooring.server.config;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;

/** How a node is started: with exactly our configuration, after its properties were looked through. */
public final class Application {
    private Application() {}

    /**
     * @param args properties, {@code --name=value}
     * @return the running node; close it to stop
     */
    public static ConfigurableApplicationContext start(String... args) {
        return prepared(ServerConfiguration.class).run(args);
    }

    /** All at once and before anything else starts, so that the first complaint is about what the operator wrote. */
    private static void checkProperties(ConfigurableEnvironment environment) {
        KnownProperties.check(environment);
        MooringProperties properties = Binder.get(environment).bindOrCreate("mooring", MooringProperties.class);
        properties.checkCluster();
        properties.checkBind();
    }

    static SpringApplication prepared(Class<?>... configuration) {
        SpringApplication application = new SpringApplication(configuration);
        application.setWebApplicationType(WebApplicationType.SERVLET);
        application.setLogStartupInfo(false);
        application.setBanner(new StartBanner());
        ApplicationListener<ApplicationEnvironmentPreparedEvent> check =
                event -> checkProperties(event.getEnvironment());
        application.addListeners(check);
        return application;
    }
}
