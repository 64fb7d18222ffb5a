# The image holds one static binary and the public certificate authorities, nothing else: no shell, no package manager.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=""
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X github.com/hubgate/hubgate/internal/buildinfo.version=$VERSION" -o /out/hubgate ./cmd/hubgate

FROM scratch
LABEL org.opencontainers.image.title="hubgate" \
      org.opencontainers.image.description="Login gate in front of a HubSpot-hosted site: Cognito login, Redis sessions, contact sync" \
      org.opencontainers.image.source="https://github.com/hubgate/hubgate" \
      org.opencontainers.image.documentation="https://github.com/hubgate/hubgate/blob/main/README.md" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/hubgate /hubgate
COPY LICENSE /LICENSE
# A number, so that Kubernetes' runAsNonRoot can see that it is not root. Nothing is ever written: a read-only root works.
USER 65532:65532
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/hubgate", "healthcheck"]
ENTRYPOINT ["/hubgate"]
CMD ["serve", "--config", "/etc/hubgate/hubgate.yaml"]
