# The recipe of every image; IMAGE is the name of its folder. From the root of the repository:
#   docker build -f dockerfiles/executor.dockerfile --build-arg IMAGE=det-yolov5-tmi -t det-yolov5-tmi .
# Layers are in the order in which they change: torch, which all images share, an image's environment, weights, code.
ARG BASE=python:3.11-slim-bookworm
ARG IMAGE=det-yolov5-tmi
# Folder of the lock files. Those of another build of torch give the images another version of CUDA.
ARG LOCKS=requirements

# Installs what the lock files say, and is gone when it has: no layer has it.
ARG UV=uv==0.13.8

FROM ${BASE} AS torch
ARG LOCKS
ARG UV
COPY ${LOCKS}/torch.lock /opt/locks/
RUN python3 -m venv /tmp/uv && /tmp/uv/bin/pip install --no-cache-dir "${UV}" \
    && /tmp/uv/bin/uv venv --no-cache --no-python-downloads --python python3 /opt/venv \
    && /tmp/uv/bin/uv pip sync --python /opt/venv --no-cache --compile-bytecode --require-hashes /opt/locks/torch.lock \
    && rm -rf /tmp/uv

# mmcv comes as source. Every image that has it takes it from this one stage, so it is compiled once.
FROM torch AS mmcv
ARG LOCKS
ARG UV
# The release of the base decides which one there is.
ARG COMPILER=g++=4:12.2.0-3
COPY ${LOCKS}/compiler.lock /opt/locks/
# Python's own images bring its headers along; Debian's python3 does not. A version of that would fit one base only.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends "${COMPILER}" \
    && if [ ! -e "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]; then \
        apt-get install --yes --no-install-recommends python3-dev; \
    fi \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir "${UV}" \
    && /opt/uv/bin/uv pip install --python /opt/venv --no-cache --require-hashes --requirements /opt/locks/compiler.lock
# cpu: operators for the CPU. cuda: for GPUs of these architectures too; +PTX serves later ones.
ARG MMCV=cuda
ARG ARCHITECTURES=7.5;8.0;8.6;8.9;9.0;10.0;12.0+PTX
# How many files are compiled at a time; each takes up to 3 GB. Empty: one a core.
ARG JOBS=
COPY ${LOCKS}/mmcv.lock /opt/locks/
# The wheels of CUDA's compiler lack two links and one path that a full installation has. -g0: Python's own flags would
# leave 80 MB of debugging information.
RUN case ${MMCV} in \
        cpu) ;; \
        cuda) \
            CUDA_HOME=$(echo /opt/venv/lib/python3*/site-packages/nvidia/cu[0-9]*) \
            && ln -s lib "${CUDA_HOME}/lib64" \
            && ln -s "$(basename "${CUDA_HOME}"/lib/libcudart.so.[0-9]*)" "${CUDA_HOME}/lib/libcudart.so" \
            && export CUDA_HOME FORCE_CUDA=1 TORCH_CUDA_ARCH_LIST="${ARCHITECTURES}" \
                NVCC_PREPEND_FLAGS="-I${CUDA_HOME}/include/cccl" CPLUS_INCLUDE_PATH="${CUDA_HOME}/include/cccl" ;; \
        *) echo "MMCV=${MMCV}: give cpu or cuda" >&2; exit 1 ;; \
    esac \
    && export PATH="/opt/venv/bin:${PATH}" MAX_JOBS="${JOBS:-$(nproc)}" CFLAGS=-g0 CXXFLAGS=-g0 \
    && /opt/uv/bin/uv pip install --python /opt/venv --prefix /opt/mmcv --no-cache --compile-bytecode --no-build-isolation \
        --no-deps --require-hashes --requirements /opt/locks/mmcv.lock

# What each image needs compiled; the stages of the others are not built.
FROM mmcv AS compiled-det-mmdetection-tmi
FROM mmcv AS compiled-det-mmyolo-tmi
FROM ${BASE} AS compiled-det-yolov5-tmi
RUN mkdir /opt/mmcv
FROM mmcv AS compiled-rot-mmrotate-tmi
FROM mmcv AS compiled-seg-all-in-one-tmi
# hadolint ignore=DL3006
FROM compiled-${IMAGE} AS compiled

# Pretrained weights, compared with the sums that the image's table records or that the release states. Nothing else of the
# code is here, so that a change of it fetches nothing again. WEIGHTS: patterns of models, such as "yolov8/*"; default = those
# of the table; empty = none, for a build without network.
FROM ${BASE} AS weights
ARG IMAGE
ARG WEIGHTS=default
WORKDIR /app
COPY common/__init__.py common/contract.py common/errors.py common/files.py common/
COPY common/weights/__init__.py common/weights/bake.py common/weights/digests.py common/weights/yolo.py common/weights/zoo.py \
    common/weights/
COPY ${IMAGE}/zoo.py ${IMAGE}/
RUN set -f && python3 -m common.weights.bake ${IMAGE} ${WEIGHTS} && chmod -R a+rX ${IMAGE}/weights

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

FROM torch AS environment
ARG IMAGE
ARG LOCKS
ARG UV
COPY --from=compiled /opt/mmcv /opt/venv
COPY ${LOCKS}/${IMAGE}.lock /opt/locks/
# There is no compiler here: without the compiled mmcv this fails.
RUN python3 -m venv /tmp/uv && /tmp/uv/bin/pip install --no-cache-dir "${UV}" \
    && /tmp/uv/bin/uv pip sync --python /opt/venv --no-cache --compile-bytecode --require-hashes /opt/locks/${IMAGE}.lock \
    && rm -rf /tmp/*

FROM environment AS sbom
ARG IMAGE
COPY dockerfiles/sbom.py /tmp/
COPY --from=weights /app/${IMAGE}/weights /tmp/weights
RUN /opt/venv/bin/python /tmp/sbom.py ${IMAGE} /tmp/weights > /opt/sbom.cdx.json

FROM environment
ARG IMAGE
# The platform may start the container as any uid: one without a home, and without the name that torch asks for.
# NVIDIA's runtime gives a container no more of the driver than is named.
ENV PATH=/opt/venv/bin:${PATH} HOME=/tmp USER=ymir PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility YMIR_IMAGE=${IMAGE}
COPY --from=weights /app/${IMAGE}/weights /app/${IMAGE}/weights
COPY --from=sbom /opt/sbom.cdx.json /opt/
COPY --from=code /usr/bin/start.sh /usr/bin/start.sh
COPY --from=code /img-man /img-man
COPY --from=code /app /app
# The init passes signals on, reaps what torch leaves behind, and prints nothing: the platform reads the templates by
# `docker run IMAGE cat /img-man/...`.
ENTRYPOINT ["/opt/venv/bin/dumb-init", "--single-child", "--"]
CMD ["bash", "/usr/bin/start.sh"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title=${IMAGE} \
    org.opencontainers.image.description="Trains, infers and mines for the YMIR platform" \
    org.opencontainers.image.licenses=AGPL-3.0-or-later \
    org.opencontainers.image.version=${VERSION} \
    org.opencontainers.image.revision=${REVISION}
