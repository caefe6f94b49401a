# `edgeseg serve` with one ONNX model: a network that ships, or one that was built before the image.
#
#     docker build --build-arg MODEL=models/light/onnx-int8.onnx --tag edgeseg-serve .
#     docker run --rm --read-only --tmpfs /tmp --publish 127.0.0.1:8080:8080 edgeseg-serve
#
# Research use only. Not a medical device; not for diagnosis or treatment.

# Python 3.11.16 for every platform, by the digest of its index; a newer one: docker buildx imagetools inspect python:3.11-slim-bookworm
ARG PYTHON=3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84

FROM python:${PYTHON} AS packages
COPY requirements-serve.lock /
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes -r /requirements-serve.lock

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="edgeseg" \
    org.opencontainers.image.description="Brain-tumour segmentation; research use only, not a medical device" \
    org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-NC-SA-4.0"
COPY --from=packages /venv /venv
COPY LICENSE /app/LICENSE
COPY models/LICENSE /app/models/LICENSE
COPY edgeseg /app/edgeseg
ARG MODEL=models/light/onnx-int8.onnx
RUN python -m compileall -q /app/edgeseg
COPY ${MODEL} /app/model.onnx
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('AIP_HTTP_PORT', '8080') + '/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "edgeseg", "serve", "/app/model.onnx", "--host", "0.0.0.0"]
