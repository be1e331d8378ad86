FROM python:3.13-slim-bookworm AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb-dev pkg-config gcc \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt .
RUN pip wheel --no-cache-dir --wheel-dir /wheels -r requirements.txt

FROM python:3.13-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MEDQL_COLLECTED_STATIC=1
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin medql
RUN --mount=type=bind,from=builder,source=/wheels,target=/wheels pip install --no-cache-dir --no-index /wheels/*.whl
WORKDIR /app
COPY . .
# The keys that MedQL makes for itself meanwhile stay in this step.
RUN python manage.py collectstatic --noinput && rm -r var
USER medql
EXPOSE 8000
# ALLOWED_HOSTS must hold 127.0.0.1 for this; docker-compose.yml adds it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=3)"]
# -v 0: no log of addresses, in which a name lies that somebody typed into a search.
CMD ["daphne", "-v", "0", "-b", "0.0.0.0", "-p", "8000", "medql.asgi:application"]
