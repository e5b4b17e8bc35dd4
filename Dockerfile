# One image per service, `gateway`, `migrate` (schema, secrets, demo data), and two servers with what is ours in
# them: `cerbos` (the policies) and `keycloak` (the realm):
#   docker build --target gateway --build-arg COMMIT=$(git rev-parse HEAD) -t accessops/gateway .
# For a build that can be repeated to the byte, name the bases by digest: --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim
ARG CERBOS_IMAGE=ghcr.io/cerbos/cerbos:0.51.0
ARG KEYCLOAK_IMAGE=quay.io/keycloak/keycloak:26.7
ARG OPENTOFU_IMAGE=ghcr.io/opentofu/opentofu:1.12-minimal

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/store,sharing=locked \
    npx -y pnpm@12.21.0 --config.pm-on-fail=ignore --config.store-dir=/store --config.package-import-method=copy \
    install --frozen-lockfile --prod --filter '{services/*}...' --filter '{gateway}...' --filter '{deploy}...'
RUN node deploy/bundle.ts && mkdir deploy/empty

FROM ${NODE_IMAGE} AS runtime
ARG COMMIT=unknown
ARG VERSION=0.0.0
LABEL org.opencontainers.image.title="AccessOps" \
      org.opencontainers.image.description="Self-service access: who may use what, who said so, and is it gone again when it should be" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
ENV NODE_ENV=production ACCESSOPS_COMMIT=${COMMIT}
WORKDIR /app
USER 1000:1000
# Not the base's own entry point: that is a shell script.
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["main.js"]

FROM runtime AS server
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 CMD ["/usr/local/bin/node", "healthcheck.js"]

FROM server AS identity
COPY --from=build /src/dist/identity ./
EXPOSE 9090

FROM server AS requests
COPY --from=build /src/dist/requests ./
EXPOSE 9090

FROM server AS approvals
COPY --from=build /src/dist/approvals ./
EXPOSE 9090

FROM server AS provisioner
COPY --from=build /src/dist/provisioner ./
# Volumes are made with the owner that the image has here.
COPY --from=build --chown=1000:1000 /src/deploy/empty /files
EXPOSE 9090

# The same with OpenTofu, which is larger than all the rest: for who uses the connector of that name.
FROM ${OPENTOFU_IMAGE} AS opentofu
FROM provisioner AS provisioner-opentofu
COPY --from=opentofu /usr/local/bin/tofu /usr/local/bin/tofu

FROM server AS audit
COPY --from=build /src/dist/audit ./
EXPOSE 9090

FROM server AS gateway
COPY --from=build /src/dist/gateway ./
EXPOSE 8080

FROM runtime AS migrate
COPY --from=build /src/dist/migrate ./
COPY --from=build --chown=1000:1000 /src/deploy/empty /secrets
COPY --from=build --chown=1000:1000 /src/deploy/empty /state

FROM ${CERBOS_IMAGE} AS cerbos
ARG COMMIT=unknown
LABEL org.opencontainers.image.revision="${COMMIT}"
COPY deploy/cerbos/config.yaml /config/config.yaml
COPY --from=build /src/dist/policies /policies
USER 1000:1000
CMD ["server", "--config=/config/config.yaml", "--log-level=warn"]

FROM ${KEYCLOAK_IMAGE} AS keycloak
ARG COMMIT=unknown
LABEL org.opencontainers.image.revision="${COMMIT}"
RUN ["/opt/keycloak/bin/kc.sh", "build", "--db=postgres", "--health-enabled=true"]
COPY deploy/keycloak/accessops-realm.json /opt/keycloak/data/import/
CMD ["start", "--optimized", "--import-realm"]
