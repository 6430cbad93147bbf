package io.mooring.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version the build wrote into the jar. */
final class MooringVersion {
    private MooringVersion() {}

    static String of() {
        try (InputStream in = MooringVersion.class.getResourceAsStream("/META-INF/build-info.properties")) {
            Properties build = new Properties();
            if (in != null) {
                build.load(in);
            }
            return build.getProperty("build.version", "development");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the version from the jar", e);
        }
    }
}
