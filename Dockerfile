# The image has one static binary, its licenses and SBOM, and the public certificate authorities: no shell, no package
# manager. deploy/image writes its files; it also builds the same image without a container engine.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum tools.mod tools.sum ./
RUN go mod download && go mod download -modfile=tools.mod
COPY . .
ARG TARGETARCH
# for builds without .git, which has the version of a tag
ARG VERSION=""
RUN go run ./deploy/image -root /image -platforms linux/$TARGETARCH -version "$VERSION"

FROM scratch
LABEL org.opencontainers.image.title="hubgate" \
      org.opencontainers.image.description="Login for HubSpot-hosted sites: Cognito, Redis sessions, contact sync" \
      org.opencontainers.image.source="https://github.com/hubgate/hubgate" \
      org.opencontainers.image.documentation="https://github.com/hubgate/hubgate/blob/main/README.md" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/ /
# Kubernetes' runAsNonRoot needs a numeric user. hubgate serve writes no files: a read-only root file system works.
USER 65532:65532
ENV HUBGATE_CONFIG=/etc/hubgate/hubgate.yaml
EXPOSE 8080 9090
# finds the admin listener by the configuration, as the entry point does
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/hubgate", "healthcheck"]
ENTRYPOINT ["/hubgate"]
CMD ["serve"]
