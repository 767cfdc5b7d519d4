FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Without install scripts: the one there is would bring a second Node.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
# Inside a container nobody could reach 127.0.0.1. A configuration's own `server.host` stands over it.
# Two arenas: the allocator else keeps one for each of V8's threads, with what they have freed in it (25 MB or more).
ENV NODE_ENV=production SLUICE_HOST=0.0.0.0 MALLOC_ARENA_MAX=2
COPY --from=dependencies /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/dist
COPY package.json /app/
# The working directory is where config.yaml is looked for and sluice-state.json is kept: mount a volume here.
RUN install -d -o 1000 -g 1000 /data
WORKDIR /data
# By number, so that a cluster can see that it is not root.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself: npm would not pass SIGTERM on.
ENTRYPOINT ["node", "/app/dist/main.js"]
