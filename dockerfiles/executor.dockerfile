# The recipe of every image; IMAGE is the name of its folder. From the root of the repository:
#   docker build -f dockerfiles/executor.dockerfile --build-arg IMAGE=det-yolov5-tmi -t det-yolov5-tmi .
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS environment
ENV UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN python3 -m pip install --no-cache-dir uv==0.13.8 && uv venv --python python3 /opt/venv
ARG IMAGE
COPY requirements/${IMAGE}.lock /tmp/requirements.lock
RUN uv pip sync --python /opt/venv --require-hashes /tmp/requirements.lock

# Pretrained weights, checked against the hashes in the image's zoo.py. Nothing else of the code is here, so that a change
# of it fetches nothing again. WEIGHTS: patterns of models, such as "yolov8/*"; empty = none, for a build without network.
FROM ${BASE} AS weights
ARG IMAGE
ARG WEIGHTS=*
WORKDIR /app
COPY common/__init__.py common/bake.py common/contract.py common/errors.py common/files.py common/weights.py common/
COPY ${IMAGE}/zoo.py ${IMAGE}/
RUN set -f && python3 -m common.bake ${IMAGE} ${WEIGHTS} && chmod -R a+rX ${IMAGE}/weights

FROM ${BASE} AS code
ARG IMAGE
COPY common /app/common
COPY ${IMAGE} /app/${IMAGE}
COPY dockerfiles/start.sh /usr/bin/start.sh
# Any user must be able to read it, whatever the umask of the checkout. Nobody can write /app later, so the bytecode is
# made now; by hash, so that neither a layer's timestamps nor an edited file can make it stale.
RUN mv /app/${IMAGE}/img-man /img-man \
    && chmod -R a+rX /app /img-man /usr/bin/start.sh \
    && python3 -m compileall -q --invalidation-mode checked-hash /app

FROM ${BASE}
# Gigabytes that rarely change come first.
COPY --from=environment /opt/venv /opt/venv
# The platform may start the container as any uid: one without a home, and without the name that torch asks for.
ENV PATH=/opt/venv/bin:${PATH} HOME=/tmp USER=ymir PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ARG IMAGE
ENV YMIR_IMAGE=${IMAGE}
COPY --from=weights /app/${IMAGE}/weights /app/${IMAGE}/weights
COPY --from=code /usr/bin/start.sh /usr/bin/start.sh
COPY --from=code /img-man /img-man
COPY --from=code /app /app
# No ENTRYPOINT: the platform reads the templates by `docker run IMAGE cat /img-man/...`.
CMD ["bash", "/usr/bin/start.sh"]
