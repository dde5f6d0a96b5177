# CUDA:  docker build -t xharness .
# CPU:   docker build -t xharness:cpu --build-arg TORCH_INDEX=ADDRESS .
#        with the address of CPU wheels that PyTorch's install page names; any other of its builds likewise.
# Run:   docker run --rm -v "$PWD:/work" -v xharness-cache:/cache xharness run study.yaml
#        with --gpus all for CUDA: the wheels bring their libraries, the host its driver.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

ARG TORCH_INDEX=
ARG EXTRAS=gguf,translate

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HF_HOME=/cache/huggingface XHARNESS_CACHE=/cache/xharness

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY harness harness
COPY plugins plugins
COPY task_cards task_cards
# torch first, from the index that is named, so that the rest does not bring another build of it.
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)" \
    && grep -v '^torch==' constraints.txt > constraints-device.txt \
    && pip install --constraint constraints-device.txt ".[$EXTRAS]" \
    && rm -rf /src/*

RUN useradd --create-home xharness && mkdir -p /cache /work && chown xharness /cache /work
USER xharness
WORKDIR /work
VOLUME /cache
ENTRYPOINT ["xharness"]
CMD ["--help"]
