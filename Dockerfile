# Presage in a container: docker build -t presage . && docker run --rm presage doctor
# Install scripts are not run: they download an ffmpeg, and the image has Debian's. The image has no mediasoup.

FROM node:20-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM base AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY demo ./demo
RUN npm run build

FROM base AS dependencies
RUN npm ci --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates ffmpeg \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json README.md LICENSE NOTICE ./
COPY models ./models
COPY examples ./examples
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN install -d -o node -g node /data
USER node
# Any address but loopback needs a token: set PRESAGE_TOKEN, or create one in the data volume with `presage token create`.
ENV NODE_ENV=production PRESAGE_HOST=0.0.0.0 PRESAGE_PORT=7878 PRESAGE_DATA=/data
VOLUME /data
EXPOSE 7878
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7878/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
