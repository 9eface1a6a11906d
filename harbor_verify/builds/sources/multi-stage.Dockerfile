# Builder and base in one file: only the program crosses over.
ARG BUILDER
ARG BASE
FROM ${BUILDER} AS build
ARG RUN_ID
LABEL harbor-verify.run=${RUN_ID}
WORKDIR /build
ENV GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /out/server .

FROM ${BASE}
ARG RUN_ID
LABEL harbor-verify.run=${RUN_ID}
COPY --from=build /out/server /server
EXPOSE 1111
CMD ["/server"]
