# The program alone, in an image of its own: docker build --tag gistdeal .
# BuildKit compiles for other platforms without emulating them; an engine
# without it builds for its own.
FROM --platform=${BUILDPLATFORM:-linux} golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION" -o /image/gistdeal ./cmd/gistdeal && mkdir /image/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /image/gistdeal /
# A new volume takes its owner from here.
COPY --from=build --chown=65532:65532 /image/data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
# On all addresses of the container: so everybody needs a token.
ENV GISTDEAL_ADDR=:8050 GISTDEAL_DATABASE_URL=/data/gistdeal.db
EXPOSE 8050
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/gistdeal", "healthcheck"]
ENTRYPOINT ["/gistdeal"]
