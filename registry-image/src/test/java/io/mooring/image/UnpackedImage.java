package io.mooring.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** An image as container runtimes take it apart: what it says of itself, and its layers one over the other. */
final class UnpackedImage {
    private static final JsonMapper JSON = new JsonMapper();

    private final JsonNode config;
    private final Path root;
    private final List<Path> layers;

    private UnpackedImage(JsonNode config, List<Path> layers, Path root) {
        this.config = config;
        this.layers = List.copyOf(layers);
        this.root = root;
    }

    /** From an archive in the layout of OCI. */
    static UnpackedImage ofOci(Path archive, Path home) throws IOException {
        Path unpacked = untar(archive, home.resolve("oci"));
        JsonNode index = read(unpacked.resolve("index.json"));
        JsonNode manifest = read(blob(unpacked, index.at("/manifests/0/digest")));
        List<Path> layers = new ArrayList<>();
        manifest.get("layers").forEach(layer -> layers.add(blob(unpacked, layer.get("digest"))));
        return new UnpackedImage(
                read(blob(unpacked, manifest.at("/config/digest"))).get("config"),
                layers,
                over(layers, home.resolve("root")));
    }

    /** From an archive as {@code docker save} makes them; its layers are not unpacked. */
    static UnpackedImage ofDocker(Path archive, Path home) throws IOException {
        Path unpacked = untar(archive, home.resolve("docker"));
        JsonNode manifest = read(unpacked.resolve("manifest.json")).get(0);
        List<Path> layers = new ArrayList<>();
        manifest.get("Layers").forEach(layer -> layers.add(unpacked.resolve(layer.asString())));
        return new UnpackedImage(
                read(unpacked.resolve(manifest.get("Config").asString())).get("config"), layers, unpacked);
    }

    private static Path over(List<Path> layers, Path root) throws IOException {
        for (Path layer : layers) {
            untar(layer, root);
        }
        return root;
    }

    private static JsonNode read(Path file) {
        return JSON.readTree(file.toFile());
    }

    private static Path blob(Path unpacked, JsonNode digest) {
        return unpacked.resolve("blobs").resolve(digest.asString().replace(':', '/'));
    }

    private static Path untar(Path archive, Path into) throws IOException {
        Files.createDirectories(into);
        Process tar = new ProcessBuilder("tar", "-xpf", archive.toString(), "-C", into.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (tar.waitFor() != 0) {
                throw new IOException("tar cannot read " + archive + ": " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return into;
    }

    /** Its files. */
    Path root() {
        return root;
    }

    List<Path> layers() {
        return layers;
    }

    JsonNode config() {
        return config;
    }

    List<String> entrypoint() {
        List<String> words = new ArrayList<>();
        config.get("Entrypoint").forEach(word -> words.add(word.asString()));
        return words;
    }

    Map<String, String> environment() {
        Map<String, String> variables = new LinkedHashMap<>();
        config.get("Env").forEach(variable -> {
            String text = variable.asString();
            int equals = text.indexOf('=');
            variables.put(text.substring(0, equals), text.substring(equals + 1));
        });
        return variables;
    }
}
