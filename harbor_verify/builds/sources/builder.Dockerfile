# The builder image: the toolchain, the source, and the program that came of it.
ARG BUILDER
FROM ${BUILDER}
ARG RUN_ID
LABEL harbor-verify.run=${RUN_ID}
WORKDIR /build
ENV GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod
COPY go.mod main.go ./
# What all three ways of linking have in common is compiled once.
RUN CGO_ENABLED=0 go build -o /out/server .
ARG LINKING=static
RUN case ${LINKING} in \
      static) CGO_ENABLED=0 go build -o /out/server . ;; \
      glibc) CGO_ENABLED=1 CC=gcc go build -o /out/server . ;; \
      musl) CGO_ENABLED=1 CC=musl-gcc go build -o /out/server . ;; \
    esac
CMD ["/out/server"]
