# The image contains one static binary and the public certificate authorities: no shell, no package manager.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=""
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X github.com/hubgate/hubgate/internal/buildinfo.version=$VERSION" -o /out/hubgate ./cmd/hubgate

FROM scratch
LABEL org.opencontainers.image.title="hubgate" \
      org.opencontainers.image.description="Login for HubSpot-hosted sites: Cognito, Redis sessions, contact sync" \
      org.opencontainers.image.source="https://github.com/hubgate/hubgate" \
      org.opencontainers.image.documentation="https://github.com/hubgate/hubgate/blob/main/README.md" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/hubgate /hubgate
COPY LICENSE /LICENSE
# Kubernetes' runAsNonRoot needs a numeric user. hubgate writes no files, so a read-only root file system works.
USER 65532:65532
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/hubgate", "healthcheck"]
ENTRYPOINT ["/hubgate"]
CMD ["serve", "--config", "/etc/hubgate/hubgate.yaml"]
