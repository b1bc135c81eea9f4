# The binary alone, on an image without a shell, as a user who is not root.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t draingate .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /draingate ./cmd/draingate

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /draingate /usr/local/bin/draingate
# The number of the image's user nonroot, so that it can be checked without a
# look at /etc/passwd.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/draingate"]
