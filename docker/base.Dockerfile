# The base image swebench-lite:pyX.Y where a registry answers; docker/rootfs.sh makes its equal
# where none does. Task environments are virtual environments of uv beside what pip installs here.
ARG PYTHON_VERSION=3.10
FROM python:${PYTHON_VERSION}

RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git patch procps \
    && rm -rf /var/lib/apt/lists/*

RUN pip install --no-cache-dir --root-user-action=ignore pytest numpy pandas uv

# An instance has its repository at /testbed; the agent knows it as /workspace/project.
RUN mkdir -p /workspace && ln -s /testbed /workspace/project
