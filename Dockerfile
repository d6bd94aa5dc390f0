# Builds the four programs once; each service of docker-compose.yml runs one of them.
FROM rust:1.95-bookworm AS build
RUN if ! command -v perl > /dev/null || ! command -v cc > /dev/null; then \
      apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make perl; fi
WORKDIR /source
COPY . .
RUN cargo build --release --locked --workspace --bins \
 && mkdir /programs \
 && cp target/release/ob-directory target/release/ob-aspsp target/release/ob-tpp target/release/ob-sandbox /programs/

FROM debian:bookworm-slim
RUN useradd --create-home --uid 10001 openbanking \
 && mkdir -p /data/public /public /reports \
 && chown -R openbanking: /data /public /reports
COPY --from=build /programs/ /usr/local/bin/
COPY scenarios /scenarios
USER openbanking
WORKDIR /home/openbanking
