# The pipeline as a container job; BuildKit is not needed.
#   docker build --tag monthly-sales:1.0.0 .
#   docker run --rm --init monthly-sales:1.0.0 monthly-sales run --month 2025-05 --source 'data/{month}' --destination /tmp/reports
# Pinned to a patch version of CPython; Debian's updates still renew what it names. A digest, where you want that as well:
#   --build-arg PYTHON_IMAGE=python:3.13.18-slim@sha256:…
ARG PYTHON_IMAGE=python:3.13.18-slim

FROM ${PYTHON_IMAGE} AS build
RUN apt-get -qq update && apt-get -qq install --yes --no-install-recommends binutils >/dev/null
WORKDIR /opt/monthly-sales

# The locked packages change seldom and take the time, so they come before the code. Wheels only: nothing is compiled
# and no setup.py runs. pip works from outside and is no part of the environment.
COPY deployments/requirements.txt deployments/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv install --quiet --no-cache-dir --no-compile \
        --require-hashes --no-deps --only-binary :all: --requirement deployments/requirements.txt

# What no run reads: the packages' own tests; the pages of Prefect's dashboard, which its server shows only where it
# finds them; the descriptions of AWS services, but for those that storage, sign-in and secret blocks ask; the locales of
# other languages than those of the reports; the symbols of libraries, except for wheels that were patched after linking.
RUN cd /opt/venv/lib/python3.*/site-packages \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && rm -rf prefect/server/ui prefect/server/ui-v2 \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d -not -name s3 -not -name 'sso*' -not -name signin \
        -not -name sts -not -name secretsmanager -exec rm -rf {} + \
 && find babel/locale-data -name '*.dat' -not -name root.dat -not -name en.dat -not -name en_001.dat \
        -not -name en_GB.dat -not -name fr.dat -not -name fr_FR.dat -delete \
 && find . -name '*.so' -not -path './numpy*' -not -path './scipy*' -exec strip --strip-unneeded {} +

# Installed in place: one copy, which the command finds by its name and a Prefect worker by its path.
COPY . .
RUN pip --python /opt/venv install --quiet --no-cache-dir --no-compile --no-deps --editable . \
 && pip --python /opt/venv check \
 && rm -rf ./*.egg-info \
 && chmod -R a+rX .

# A month is published here: the build fails where that fails. What it imports has bytecode in the image, because a job
# cannot write there; that of all modules would be 80 MB. Unchecked: a layer may change a file's time.
RUN export PATH=/opt/venv/bin:$PATH PREFECT_HOME=/tmp/prefect PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1 \
 && monthly-sales run --month 2025-05 --destination /tmp/reports --language fr \
 && monthly-sales verify --month 2025-05 --destination /tmp/reports \
 && prefect flow-run execute --help >/dev/null \
 && python -c 'import flows.backfill, tasks.storage.s3, prefect_aws, prefect_email' \
 && find /opt /usr/local/lib/python3.*/ -name site-packages -path '/usr/*' -prune -o -name '*.pyc' -print \
    | sed -n 's|__pycache__/\([^/.]*\)\.cpython-[^/]*\.pyc$|\1.py|p' | sort -u >/opt/imported \
 && find /opt -name '*.pyc' -not -name '*.opt-*' -delete \
 && grep ^/opt /opt/imported | python -m compileall -q -i - --invalidation-mode unchecked-hash

FROM ${PYTHON_IMAGE}

# Nothing is installed at run time. The official image has no bytecode of the standard library, which costs a second.
COPY --from=build /opt/imported /opt/imported
RUN python -m pip uninstall --quiet --yes --root-user-action ignore pip setuptools wheel \
 && rm -rf /usr/local/lib/python3.*/ensurepip \
 && grep ^/usr/local /opt/imported | python -m compileall -q -i - --invalidation-mode unchecked-hash

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
