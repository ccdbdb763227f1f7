# The pipeline as a container job; BuildKit is not needed.
#   docker build --tag monthly-sales:1.0.0 .
#   docker run --rm --init monthly-sales:1.0.0 monthly-sales run --month 2025-05 --source 'data/{month}' --destination /tmp/reports
# Pinned to a patch version of CPython; Debian's updates still renew what it names. A digest, where you want that as well:
#   --build-arg PYTHON_IMAGE=python:3.13.18-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13.18-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /opt/monthly-sales

# The locked packages change seldom and take the time, so they come before the code. Wheels only: nothing is compiled
# and no setup.py runs. pip works from outside and is no part of the environment.
COPY deployments/requirements.txt deployments/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv install --quiet --no-cache-dir --no-compile \
        --require-hashes --no-deps --only-binary :all: --requirement deployments/requirements.txt

# What no run reads: the packages' own tests; the pages of Prefect's dashboard, which its server shows only where it
# finds them; the descriptions of AWS services, but for those that storage, sign-in and secret blocks ask.
RUN cd /opt/venv/lib/python3.*/site-packages \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && rm -rf prefect/server/ui prefect/server/ui-v2 \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d -not -name s3 -not -name 'sso*' -not -name signin \
        -not -name sts -not -name secretsmanager -exec rm -rf {} +

# Installed in place: one copy, which the command finds by its name and a Prefect worker by its path.
COPY . .
RUN pip --python /opt/venv install --quiet --no-cache-dir --no-compile --no-deps --editable . \
 && pip --python /opt/venv check \
 && rm -rf ./*.egg-info \
 && chmod -R a+rX .

# The job cannot write beside the code, so bytecode is made here. Unchecked: a layer may change a file's time.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib .

FROM ${PYTHON_IMAGE}

# Nothing is installed at run time. The official image has no bytecode of the standard library, which costs a second.
RUN python -m pip uninstall --quiet --yes --root-user-action ignore pip setuptools wheel \
 && cd /usr/local/lib/python3.* \
 && rm -rf ensurepip \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/monthly-sales /opt/monthly-sales
WORKDIR /opt/monthly-sales

# Prefect keeps its files where a read-only job has its tmpfs; neither its server nor its client calls home.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PREFECT_HOME=/tmp/prefect \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
CMD ["monthly-sales", "--help"]

# Last, because they change with every build.
ARG VERSION=""
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="BottleNeck monthly sales" \
      org.opencontainers.image.description="Three monthly workbooks of a wine merchant in, a verified and published sales report out." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
