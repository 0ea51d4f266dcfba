# The base image swebench-lite:pyX.Y where a registry answers; docker/rootfs.sh makes its equal
# where none does. Task environments are virtual environments of uv beside what pip installs here.
ARG PYTHON_VERSION=3.10
FROM python:${PYTHON_VERSION}

RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git patch procps \
    && rm -rf /var/lib/apt/lists/*

# An old or a very new Python may have no wheels of the last two. uv is a program: that it wants a
# newer Python than an old image has is of no account.
RUN pip install --no-cache-dir --ignore-requires-python uv \
    && pip install --no-cache-dir pytest \
    && (pip install --no-cache-dir --only-binary :all: numpy pandas \
        || echo "without numpy and pandas: no wheels for this Python")

# An instance has its repository at /testbed; the agent knows it as /workspace/project.
RUN mkdir -p /workspace && ln -s /testbed /workspace/project
