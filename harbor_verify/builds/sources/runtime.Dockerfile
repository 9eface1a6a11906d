# The program on a base; it was copied out of the builder image.
ARG BASE
FROM ${BASE}
ARG RUN_ID
LABEL harbor-verify.run=${RUN_ID}
COPY server /server
EXPOSE 1111
CMD ["/server"]
