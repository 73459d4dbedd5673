# The image of google-reviews-mcp: one program on distroless Debian, without a shell. `docker compose up` builds it; alone:
#
#   docker build -t google-reviews-mcp:local .
#   docker run --rm --network host google-reviews-mcp:local demo
#
# Bases are pinned by tag. Pin them by digest too where a build must be the same for ever: `docker buildx imagetools inspect`
# prints the digest of a tag, which goes behind it as @sha256:…
ARG RUST_IMAGE=rust:1.95-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# For size: symbols are dropped, equal functions are stored once, and addresses that the loader fills in are written in the
# short form, which Debian 12 reads. The last two where Rust links with lld by itself: other linkers know no such options.
ENV CARGO_PROFILE_RELEASE_STRIP=symbols \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-Wl,--icf=all -C link-arg=-Wl,-z,pack-relative-relocs"

# First the dependencies, with nothing of ours but their list: this layer is kept until the list changes.
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    mkdir -p src benches \
 && echo 'fn main() {}' >src/main.rs \
 && touch src/lib.rs \
 && for bench in $(sed -n '/^\[\[bench\]\]/{n;s|^name = "\(.*\)"|\1|p}' Cargo.toml); do touch "benches/$bench.rs"; done \
 && cargo build --release --locked

# Then the program. Cargo looks at times of change: the sources must be newer than what stood in for them.
COPY askama.toml ./
COPY migrations migrations
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    find src -name '*.rs' -exec touch {} + \
 && cargo build --release --locked

# What the image gets, with its owners. Any user may be given to the container, also one that nobody has heard of: the folder
# for data takes them all. Nobody else is in there.
RUN install -D -m 0755 target/release/google-reviews-mcp /image/usr/local/bin/google-reviews-mcp \
 && install -d -m 1777 -o 1001 -g 1001 /image/data

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="google-reviews-mcp" \
      org.opencontainers.image.description="A self-hosted MCP server through which AI clients read and analyse Google reviews" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
COPY --from=build /image/ /
# In a container the listeners cannot be loopback; who may reach them is decided by the ports that are published.
ENV REVIEWS__STORE__DATA_DIR=/data \
    REVIEWS__SERVER__LISTEN=0.0.0.0:8080 \
    REVIEWS__SERVER__OPERATIONS_LISTEN=0.0.0.0:9090 \
    REVIEWS__LOG__FORMAT=json
WORKDIR /
USER 1001:1001
VOLUME /data
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/google-reviews-mcp", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/google-reviews-mcp"]
CMD ["serve"]
